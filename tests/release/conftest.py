"""Checkouts for the tests of this folder: each module ships from one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.release import checkout as checkouts
from tests.release import production as productions
from tests.release.checkout import Checkout
from tests.release.production import Production


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout that has shipped nothing yet; the app's own checks are left out."""
    with checkouts.made(tmp_path_factory.mktemp("release").resolve()) as checkout:
        yield checkout


@pytest.fixture(scope="module")
def released(fresh: Checkout) -> Checkout:
    """A checkout that has shipped to its sandbox once."""
    ended = fresh.inv("deploy", "--no-browser")
    assert ended.status == 0, ended.stderr
    return fresh


@pytest.fixture
def checkout(released: Checkout) -> Iterator[Checkout]:
    """The checkout of this module, whose sandbox has no fault and an empty request log."""
    released.sandbox.calm()
    yield released
    released.sandbox.calm()


@pytest.fixture(scope="module")
def production(fresh: Checkout) -> Production:
    """A target called production, as far from the sandbox's own as another cloud is."""
    return productions.added(fresh)
