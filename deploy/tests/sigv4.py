"""Whether a request carries a right signature (AWS Signature Version 4)."""

import hashlib
import hmac
import re
import urllib.parse

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)")
MUST_BE_SIGNED = {"host", "x-amz-date"}


def is_signed(method, target, headers, body):
    found = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if not found:
        return False
    key_id, day, region, service, names, signature = found.groups()
    if key_id != KEY_ID or not MUST_BE_SIGNED <= set(names.split(";")):
        return False
    canonical = canonical_request(method, target, headers, body, service, names)
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], scope, sha256(canonical.encode())])
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), signature)


def canonical_request(method, target, headers, body, service, names):
    path, _, query = target.partition("?")
    # All services but S3 want the path encoded twice.
    path = path if service == "s3" else urllib.parse.quote(path, safe="/-_.~")
    members = sorted(member if "=" in member else f"{member}=" for member in query.split("&") if member)
    signed = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names.split(";"))
    digest = headers.get("X-Amz-Content-Sha256") or sha256(body)
    return "\n".join([method, path, "&".join(members), signed, names, digest])


def sha256(data):
    return hashlib.sha256(data).hexdigest()
