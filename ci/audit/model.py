"""What the audit knows of a repository: its workflows, its scripts, and the commands that each step reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Truth = Literal["yes", "no", "maybe"]  # maybe: it depends on what lies outside the repository
Confidence = Literal["high", "low"]  # low: read from a program's text, not from a command line

# What a command does that matters here.
#   setup      brings a tool (setup-bun, npm i -g)
#   install    brings packages
#   gate       lints, checks types, tests, builds
#   codegen    writes the backend's types (`convex codegen`, `convex dev --once`)
#   deploy     pushes the backend's functions
#   convex     asks a deployment for something else (`convex run`, `convex env`)
#   publish    makes a frontend public
#   verify     asks the live site or the live deployment whether it works
#   sleep      waits for a fixed time
#   unknown    may do any of these: a task runner, a script or a shell that was not followed; `questions` says which
Kind = Literal["install", "codegen", "deploy", "convex", "publish", "verify", "gate", "sleep", "setup", "unknown"]


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file of the repository; lines and columns count from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Text:
    """A scalar of a file, as it is written, without its quotes."""

    value: str
    at: Place


@dataclass(frozen=True)
class Skipped:
    """A file that could not be read, or a part of it that was not followed."""

    path: str
    why: str


@dataclass(frozen=True)
class Question:
    """What cannot be known from the repository alone, as the question to answer."""

    text: str
    at: Place


# --- workflows ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trigger:
    """One entry of `on`; a filter that is absent is empty, and then lets everything through."""

    event: str
    at: Place
    branches: tuple[str, ...] = ()
    branches_ignore: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tags_ignore: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    paths_ignore: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()  # of workflow_run


@dataclass(frozen=True)
class Scenario:
    """One way in which GitHub starts a workflow; what is None may be anything."""

    event: str
    ref: str | None = None  # refs/heads/main, refs/tags/v1
    is_fork: bool = False  # of a pull request
    base: str | None = None  # of a pull request: the branch it goes to
    is_merged: bool = False  # of a pull request: it was merged, which its closing told

    @property
    def is_pull_request(self) -> bool:
        """Return whether code runs that nobody has merged."""
        return self.event in ("pull_request", "pull_request_target", "merge_group") and not self.is_merged


@dataclass(frozen=True)
class Concurrency:
    """A group of a workflow or a job; `cancel`, whose place is `at`, is as written: "true", an expression, or ""."""

    group: str
    cancel: str
    at: Place


@dataclass(frozen=True)
class Step:
    """
    One step of a job, after local composite actions were put in their place.

    `env` is what the step's process sees of workflow, job, action and step, the innermost winning; values are as
    written, with the inputs of composite actions and reusable workflows put in; "*" are those of an expression.
    """

    index: int  # in the job as it runs, from 0
    label: str  # its name, else its index
    at: Place
    id: str = ""
    run: Text | None = None
    uses: Text | None = None
    given: Mapping[str, Text] = field(default_factory=dict)  # `with`
    env: Mapping[str, Text] = field(default_factory=dict)
    # Where `run` starts, from the root, "" for the root itself; None: an expression, but of the matrix alone it stays.
    folder: str | None = ""
    shell: str = ""
    conditions: tuple[Text, ...] = ()  # each `if` that must hold: of the step itself, of actions around it
    continue_on_error: str = ""  # as written
    via: tuple[Text, ...] = ()  # the `uses:` of the local actions that it stands in, outermost first


@dataclass(frozen=True)
class Job:
    """
    One job, after local reusable workflows were put in the place of the jobs that call them.

    `id` is the job's, or "caller / called" for one of a reusable workflow. `needs` are such ids, direct ones only.
    """

    id: str
    at: Place
    needs: tuple[str, ...] = ()
    conditions: tuple[Text, ...] = ()
    steps: tuple[Step, ...] = ()
    environment: Text | None = None
    concurrency: tuple[Concurrency, ...] = ()  # of the job and of the job that calls it; not of the workflow
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    continue_on_error: str = ""
    timeout_minutes: str = ""
    remote: Text | None = None  # the `uses:` of a reusable workflow elsewhere: nothing is known of it
    given: Mapping[str, Text] = field(default_factory=dict)  # `with` and `secrets` handed to it


@dataclass(frozen=True)
class Workflow:
    """One file of .github/workflows that something starts."""

    path: str
    name: str
    triggers: tuple[Trigger, ...]
    jobs: tuple[Job, ...]
    concurrency: Concurrency | None = None

    def job(self, id: str) -> Job:
        """Return the job of that id."""
        return next(job for job in self.jobs if job.id == id)


# --- packages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """A package.json."""

    folder: str  # "" for the root
    path: str
    name: str = ""
    scripts: Mapping[str, Text] = field(default_factory=dict)
    declared: Mapping[str, Text] = field(default_factory=dict)  # dependencies of every kind -> range
    manager: Text | None = None  # packageManager, as written
    workspaces: tuple[str, ...] = ()
    frozen: Mapping[str, bool] = field(default_factory=dict)  # manager -> whether its settings freeze installs


@dataclass(frozen=True)
class Backend:
    """A Convex backend: the package that deploys it, and where its functions are."""

    folder: str
    functions: str
    is_generated_committed: bool
    convex_version: str = ""  # that the lock file holds, else the least that its range lets in, else ""
    has_components: bool = False  # whether its functions have a convex.config.ts
    undeclared: tuple[Text, ...] = ()  # packages that its functions import and its package.json does not declare


# --- what is reached ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """One step on the way from a workflow to a command, as a person would say it: `package.json script "build"`."""

    text: str
    at: Place


@dataclass(frozen=True)
class Drop:
    """A turbo task that keeps a variable from what it runs, in strict mode."""

    task: str
    at: Place


@dataclass(frozen=True)
class Env:
    """What a command sees of the variables, and why it may see others, or not."""

    values: Mapping[str, Text] = field(default_factory=dict)
    dropped: Mapping[str, Drop] = field(default_factory=dict)  # CONVEX_DEPLOY_KEY also when it was not there
    questions: tuple[Question, ...] = ()  # $GITHUB_ENV, a loader of secrets, a sourced file: others may be there


@dataclass(frozen=True)
class Guard:
    """A condition around a command, in shell or `if:`; `names` are the variables and secrets that it asks about."""

    text: str
    names: frozenset[str]
    at: Place


@dataclass(frozen=True)
class Swallow:
    """What hides the failure of a command: `|| true`, `continue-on-error`, a `;` behind it without `set -e`."""

    how: str
    at: Place


@dataclass(frozen=True)
class Reached:
    """A command that matters, reached from one step of a workflow, or from the build of a host (Vercel, Netlify)."""

    kind: Kind
    tool: str  # "convex", "wrangler pages", "cloudflare/pages-action", "vercel", "netlify", "deploy hook", "bun"
    argv: tuple[str, ...]  # words as written, variables and expressions in them; of an action: its `uses`
    folder: str | None  # where it runs; None: not known
    chain: tuple[Link, ...]  # from the step to the command itself
    env: Env
    guards: tuple[Guard, ...] = ()
    swallowed: tuple[Swallow, ...] = ()
    order: tuple[int, ...] = ()  # within its job: the step, the command in it, the command in that, ...
    # What is started side by side (turbo, concurrently), by the order of what starts it: which of its siblings there,
    # by their numbers, this one waits for. Two commands whose orders part below such a place are not in sequence.
    together: Mapping[tuple[int, ...], frozenset[int]] = field(default_factory=dict)
    confidence: Confidence = "high"
    workflow: Workflow | None = None
    job: Job | None = None
    step: Step | None = None
    host: str = ""  # whose build it is, when it is not GitHub's
    given: Mapping[str, Text] = field(default_factory=dict)  # `with` of an action
    questions: tuple[Question, ...] = ()  # what its kind depends on, outside the repository

    @property
    def at(self) -> Place:
        """Return where the command itself is written."""
        return self.chain[-1].at


# --- the whole ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TurboTask:
    """One task of a turbo.json, `extends` put in; of the package of that name, of the root ("//"), or of all ("")."""

    name: str
    package: str
    at: Place
    depends_on: tuple[Text, ...] = ()
    env: tuple[Text, ...] = ()
    pass_through: tuple[Text, ...] = ()
    beside: tuple[Text, ...] = ()  # `with`
    cache: bool = True


@dataclass(frozen=True)
class Turbo:
    """What turbo.json files say; `version` is the one that is locked, else ""."""

    path: str
    tasks: tuple[TurboTask, ...]
    global_env: tuple[Text, ...] = ()
    global_pass_through: tuple[Text, ...] = ()
    is_strict: bool = True
    version: str = ""


@dataclass(frozen=True)
class Repository:
    """Everything that a rule may look at."""

    workflows: tuple[Workflow, ...] = ()
    packages: tuple[Package, ...] = ()
    backends: tuple[Backend, ...] = ()
    turbo: Turbo | None = None
    locks: tuple[str, ...] = ()  # paths of lock files: bun.lock, package-lock.json, ...
    reached: tuple[Reached, ...] = ()
    latent: tuple[Reached, ...] = ()  # by the tasks of turbo, were all of them run with all keys
    plain: frozenset[str] = frozenset()  # what is published as it lies here, and does not call Convex
    texts: Mapping[str, str] = field(default_factory=dict)  # path -> text of each file that was read
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a rule found: what happens, and the lines to write."""

    rule: str
    severity: Literal["error", "warning", "note"]
    status: Literal["gap", "latent", "unclear"]
    confidence: Confidence
    at: Place
    message: str
    hint: str
    job: str = ""
    step: str = ""
    chain: tuple[Link, ...] = ()
