"""The three calls of an upload, which carry the JWT of a project instead of an API token."""

from __future__ import annotations

import base64
import binascii
import re

from aiohttp import web

from ci.sandbox.pages import envelope
from ci.sandbox.pages.cloud import Cloud
from ci.sandbox.pages.envelope import RefusalError

FILE_LIMIT_BYTES = 25 * 1024 * 1024


async def check_missing(cloud: Cloud, request: web.Request) -> object:
    """Return those of {"hashes": [...]} that were never uploaded."""
    cloud.access.admit_upload(request)
    hashes = (await envelope.json_body(request, dict)).get("hashes")
    if not isinstance(hashes, list):
        raise RefusalError(400, 8000001, "hashes must be a list")  # the code is a guess
    return cloud.blobs.missing([str(key) for key in hashes])


async def upload(cloud: Cloud, request: web.Request) -> object:
    """Store [{"key": hash, "value": base64, "metadata": {"contentType": str}, "base64": true}, ...]."""
    cloud.access.admit_upload(request)
    files = [_file(item) for item in await envelope.json_body(request, list)]
    for key, content, content_type in files:
        cloud.blobs.add(key, content, content_type)
    return {"successful_key_count": len(files), "unsuccessful_keys": []}


async def upsert_hashes(cloud: Cloud, request: web.Request) -> object:
    """Renew the lease of files; here they are kept until a reset."""
    cloud.access.admit_upload(request)
    return None


def _file(item: object) -> tuple[str, bytes, str]:
    """Return hash, content and content type of one uploaded file. All the codes here are guesses."""
    if not isinstance(item, dict):
        raise RefusalError(400, 8000001, "A file is an object")
    key, metadata = str(item.get("key")), item.get("metadata")
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        raise RefusalError(400, 8000023, f"{key} is not the hash of a file")
    try:
        content = base64.b64decode(str(item.get("value")), validate=True)
    except binascii.Error as error:
        raise RefusalError(400, 8000023, f"the value of {key} is not base64") from error
    if len(content) > FILE_LIMIT_BYTES:
        raise RefusalError(413, 8000022, "Pages only supports files up to 25 MiB in size")
    content_type = metadata.get("contentType") if isinstance(metadata, dict) else None
    return key, content, str(content_type or "application/octet-stream")
