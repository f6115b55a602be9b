"""Stacks to walk: parameters to create with, parameters to update to, and what must be true on the way."""

import json
import io
import zipfile
from dataclasses import dataclass, field
from typing import Callable

OTHER_ACCOUNT_POOL = "arn:aws:cognito-idp:eu-west-1:999999999999:userpool/eu-west-1_Other0001"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
OWN_URL = "https://mine.example.com/callback"


@dataclass
class Case:
    """`given` and `updated` may be functions of the walk, for what is made before the stack."""

    name: str
    given: dict | Callable = field(default_factory=dict)
    updated: dict | Callable = field(default_factory=dict)
    region: str = "us-east-1"
    prepare: Callable = lambda walk: None
    created: Callable = lambda walk: None
    changed: Callable = lambda walk: None
    deleted: Callable = lambda walk: None
    # A stack that must fail: what the reason has to contain.
    fails: str | None = None


def configuration(walk, function="CheckAuthHandler"):
    """The configuration.json in the package of the version that was published last."""
    arn = walk.outputs[function].rsplit(":", 1)[0]
    with zipfile.ZipFile(io.BytesIO(walk.cloud.packages[arn])) as archive:
        assert "bootstrap" in archive.namelist()
        return json.loads(archive.read("configuration.json"))


def client(walk):
    """The app client as it is now."""
    properties = walk.stack.there["EdgeFunctionVersions"][3]["Parameters"]
    cognito = walk.cloud.client("cognito-idp", walk.case.region)
    return cognito.describe_user_pool_client(
        UserPoolId=properties["UserPoolArn"].split("/")[1], ClientId=properties["UserPoolClientId"])["UserPoolClient"]


def expect(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


# -- What must be true

def defaults_are_the_references(walk):
    config = configuration(walk)
    expect(config["mode"], "spaMode")
    expect(config.get("clientSecret"), None)
    expect(config["oauthScopes"], ["phone", "email", "profile", "openid", "aws.cognito.signin.user.admin"])
    expect(len(config["nonceSigningSecret"]), 32)
    assert config["jwks"]["keys"], config["jwks"]
    expect(sorted(configuration(walk, "HttpHeadersHandler")), ["httpHeaders", "logLevel"])
    expect(client(walk)["CallbackURLs"], ["https://d111111abcdef8.cloudfront.net/parseauth"])
    expect(client(walk)["LogoutURLs"], ["https://d111111abcdef8.cloudfront.net/"])
    expect(walk.outputs["WebsiteUrl"], "https://d111111abcdef8.cloudfront.net")
    expect(walk.outputs["Warnings"], "none")
    objects = walk.cloud.client("s3").list_objects_v2(Bucket=walk.outputs["S3Bucket"])["Contents"]
    expect(sorted(o["Key"] for o in objects), ["assets/app.js", "index.html", "settings.json"])
    walk.secret = config["nonceSigningSecret"]


def the_secret_is_kept_and_headers_change(walk):
    config = configuration(walk)
    expect(config["nonceSigningSecret"], walk.secret)
    expect(config["httpHeaders"], {"X-Test": "1"})
    expect(configuration(walk, "HttpHeadersHandler")["httpHeaders"], {"X-Test": "1"})


def every_member_of_the_client_is_sent_back(walk):
    """Moto keeps what is left out; AWS resets it. So the request itself is looked at."""
    sent = [c.json() for _, _, c in walk.stack.sent if c.actions == ["cognito-idp:UpdateUserPoolClient"]]
    assert sent, "no update of the client was sent"
    described = set(client(walk)) - {"ClientSecret", "CreationDate", "LastModifiedDate"}
    for request in sent:
        assert described <= set(request), described - set(request)
        assert not set(request) & {"ClientSecret", "CreationDate", "LastModifiedDate"}


def static_site_has_a_secret(walk):
    config = configuration(walk)
    expect(config["mode"], "staticSiteMode")
    expect(config["clientSecret"], client(walk)["ClientSecret"])
    expect(walk.outputs["ClientSecret"], config["clientSecret"])
    every_member_of_the_client_is_sent_back(walk)
    walk.secrets = [config["clientSecret"], config["nonceSigningSecret"]]


def no_secret_was_logged(walk):
    """T-STACK-1"""
    log = walk.stack.log()
    assert "settled" in log
    for secret in walk.secrets:
        assert secret not in log, "a secret is in the log"


def versions_live_in_us_east_1(walk):
    for name in ("CheckAuthHandler", "ParseAuthHandler", "RefreshAuthHandler", "SignOutHandler", "HttpHeadersHandler"):
        expect(walk.outputs[name].split(":")[3], "us-east-1")
    stack, = walk.cloud.client("cloudformation").describe_stacks(StackName="teststack")["Stacks"]
    expect(stack["Tags"], [{"Key": "portcullis:main-stack", "Value": walk.stack.id}])
    configuration(walk)


def the_trailing_slash_joins(walk):
    expect(configuration(walk, "TrailingSlashHandler"), {"logLevel": "none"})
    expect(walk.outputs["TrailingSlashHandler"].split(":")[3], "us-east-1")


def suffixed(suffix):
    def check(walk):
        expect(walk.outputs["CheckAuthHandler"].split(":")[6], f"CheckAuthHandler-{suffix}")
    return check


def there_is_no_distribution(walk):
    for name in ("WebsiteUrl", "S3Bucket", "CloudFrontDistribution", "RedirectUrisSignIn"):
        assert name not in walk.outputs
    expect(configuration(walk, "AllInOneHandler")["mode"], "spaMode")


def alternate_names_are_in_the_client(walk):
    expect(walk.outputs["RedirectUrisSignIn"], "https://a.example.com/parseauth,https://b.example.com/parseauth")
    expect(walk.outputs["RedirectUrisSignOut"], "https://a.example.com/,https://b.example.com/")


# -- An existing user pool

def existing_pool(secret=False, domain="own-domain", providers=("COGNITO",)):
    def prepare(walk):
        cognito = walk.cloud.client("cognito-idp", walk.case.region)
        pool = cognito.create_user_pool(PoolName="existing")["UserPool"]
        cognito.create_user_pool_domain(UserPoolId=pool["Id"], Domain=domain)
        made = cognito.create_user_pool_client(
            UserPoolId=pool["Id"], ClientName="mine", GenerateSecret=secret, RefreshTokenValidity=7,
            AllowedOAuthFlows=["code", "implicit"], AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin", "mine/all"],
            CallbackURLs=[OWN_URL], LogoutURLs=[OWN_URL], WriteAttributes=["email"],
            SupportedIdentityProviders=list(providers))["UserPoolClient"]
        walk.pool, walk.client_id = pool, made["ClientId"]
        walk.before = without_dates(made)
    return prepare


def without_dates(described):
    return {k: v for k, v in described.items() if k not in ("LastModifiedDate", "CreationDate")}


def in_existing(**more):
    return lambda walk: {"UserPoolArn": walk.pool["Arn"], "UserPoolClientId": walk.client_id, **more}


def the_pool_was_looked_up(walk):
    config = configuration(walk)
    expect(config["cognitoAuthDomain"], f"own-domain.auth.{walk.case.region}.amazoncognito.com")
    expect(config["userPoolArn"], walk.pool["Arn"])
    expect(client(walk)["CallbackURLs"][0], OWN_URL)
    expect(len(client(walk)["CallbackURLs"]), 2)
    every_member_of_the_client_is_sent_back(walk)
    assert "UserPoolId" not in walk.outputs


def the_operator_hears_of_the_other_providers(walk):
    expect(configuration(walk)["enhancements"], {"federated": True})
    assert "other identity providers" in walk.outputs["Warnings"], walk.outputs["Warnings"]


def a_rule_answers_the_warning(walk):
    expect(configuration(walk)["enhancements"]["federated"], True)
    assert "other identity providers" not in walk.outputs["Warnings"], walk.outputs["Warnings"]


def our_urls_follow_the_names(walk):
    expect(client(walk)["CallbackURLs"],
           [OWN_URL, "https://d111111abcdef8.cloudfront.net/parseauth", "https://new.example.com/parseauth"])


def the_client_is_as_it_was(walk):
    cognito = walk.cloud.client("cognito-idp", walk.case.region)
    now = cognito.describe_user_pool_client(UserPoolId=walk.pool["Id"], ClientId=walk.client_id)["UserPoolClient"]
    expect(without_dates(now), walk.before)
    domain = walk.cloud.client("cognito-idp", walk.case.region).describe_user_pool(UserPoolId=walk.pool["Id"])
    cognito.delete_user_pool_domain(UserPoolId=walk.pool["Id"], Domain=domain["UserPool"]["Domain"])
    cognito.delete_user_pool(UserPoolId=walk.pool["Id"])


def the_looked_up_secret_is_configured(walk):
    expect(configuration(walk)["clientSecret"], client(walk)["ClientSecret"])


def nothing_was_asked_of_the_other_account(walk):
    assert not [c for _, _, c in walk.stack.sent if c.service == "cognito-idp"]
    config = configuration(walk)
    expect(config["clientSecret"], "given")
    expect(config["cognitoAuthDomain"], "auth.other.example.com")
    assert "RedirectUrisSignIn" not in walk.outputs


# -- The distribution

def distribution(walk):
    return walk.stack.there["CloudFrontDistribution"][3]["DistributionConfig"]


def protected_origin(walk):
    origin, = [o for o in distribution(walk)["Origins"] if o["Id"] == "protected-origin"]
    return origin


def custom_origin_with_a_header(walk):
    origin = protected_origin(walk)
    expect(origin["DomainName"], "www.example.com")
    expect(origin["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only")
    expect(origin["OriginCustomHeaders"], [{"HeaderName": "X-Secret", "HeaderValue": "hush"}])
    assert "OriginAccessControlId" not in origin and "S3Bucket" not in walk.outputs


def own_bucket_with_access_control(walk):
    origin = protected_origin(walk)
    expect(origin["DomainName"], "mine.s3.eu-west-1.amazonaws.com")
    expect(origin["S3OriginConfig"], {"OriginAccessIdentity": ""})
    assert origin["OriginAccessControlId"]


def own_bucket_with_access_identity(walk):
    origin = protected_origin(walk)
    expect(origin["S3OriginConfig"], {"OriginAccessIdentity": "origin-access-identity/cloudfront/E2OLD"})
    assert "OriginAccessControlId" not in origin


def names_logs_and_firewall(walk):
    config = distribution(walk)
    expect(config["Aliases"], ["www.example.com", "example.com"])
    expect(config["ViewerCertificate"]["MinimumProtocolVersion"], "TLSv1.2_2021")
    expect(config["WebACLId"], "acl")
    expect(config["Logging"]["IncludeCookies"], False)
    expect([b["PathPattern"] for b in config["CacheBehaviors"]], ["/cb", "/renew", "/bye"])
    expect(config["CustomErrorResponses"],
           [{"ErrorCode": 404, "ResponseCode": 200, "ResponsePagePath": "/index.html"}])
    expect(client(walk)["CallbackURLs"], [
        "https://d111111abcdef8.cloudfront.net/cb", "https://www.example.com/cb", "https://example.com/cb"])


def one_name_is_gone(walk):
    expect(distribution(walk)["Aliases"], ["www.example.com"])
    assert "https://example.com/cb" not in client(walk)["CallbackURLs"]


def the_log_bucket_stays(walk):
    bucket, = [b["Name"] for b in walk.cloud.client("s3").list_buckets()["Buckets"] if "accesslogsbucket" in b["Name"]]
    walk.cloud.client("s3").delete_bucket(Bucket=bucket)


def elasticsearch_cookies(walk):
    config = configuration(walk)
    expect(config["cookieCompatibility"], "elasticsearch")
    expect(config["additionalCookies"], {"a": "1; Secure"})


def first_user_in_the_group(walk):
    cognito = walk.cloud.client("cognito-idp", walk.case.region)
    users = cognito.list_users_in_group(UserPoolId=walk.outputs["UserPoolId"], GroupName="staff")["Users"]
    expect(len(users), 1)
    expect(configuration(walk)["requiredGroup"], "staff")


def nothing_was_called(walk):
    """An update to what is there already."""
    expect([request for _, request, _ in walk.stack.sent if request == "Update"], [])


def another_client_for_a_static_site(walk):
    config = configuration(walk)
    expect(config["mode"], "staticSiteMode")
    expect(config["clientSecret"], client(walk)["ClientSecret"])
    expect(client(walk)["CallbackURLs"], ["https://d111111abcdef8.cloudfront.net/parseauth"])
    objects = walk.cloud.client("s3").list_objects_v2(Bucket=walk.outputs["S3Bucket"])
    assert objects.get("Contents"), "the site of the new mode was deleted with the old one's"


def own_content(walk):
    s3 = walk.cloud.client("s3")
    s3.put_object(Bucket=walk.outputs["S3Bucket"], Key="index.html", Body=b"mine")


def own_content_is_left_alone(walk):
    body = walk.cloud.client("s3").get_object(Bucket=walk.outputs["S3Bucket"], Key="index.html")["Body"]
    expect(body.read(), b"mine")


def boundary_is_on_every_role(walk):
    for name, (resource, _, _, properties) in walk.stack.there.items():
        if resource["Type"] == "AWS::IAM::Role":
            expect(properties.get("PermissionsBoundary"), "arn:aws:iam::123456789012:policy/boundary")


def runtime(name):
    def check(walk):
        function = walk.outputs["CheckAuthHandler"].rsplit(":", 1)[0]
        found = walk.cloud.client("lambda").get_function_configuration(FunctionName=function)
        expect(found["Runtime"], name)
    return check


CASES = [
    Case("defaults", created=defaults_are_the_references,
         updated={"HttpHeaders": '{"X-Test": "1"}'}, changed=the_secret_is_kept_and_headers_change),
    Case("static site", {"EnableSPAMode": "false"}, {"EnableSPAMode": "false", "Version": "again"},
         created=static_site_has_a_secret, changed=no_secret_was_logged),
    Case("another region", region="eu-west-1", created=versions_live_in_us_east_1,
         updated={"RewritePathWithTrailingSlashToIndex": "true"}, changed=the_trailing_slash_joins),
    Case("another region, static site, fixed names", {"EnableSPAMode": "false", "ResourceSuffix": "blue"},
         {"EnableSPAMode": "false", "ResourceSuffix": "blue", "LogLevel": "error"}, region="eu-west-1",
         created=suffixed("blue"), changed=suffixed("blue")),
    Case("fixed names", {"ResourceSuffix": "blue"}, {"ResourceSuffix": "green"},
         created=suffixed("blue"), changed=suffixed("green")),
    Case("auth only", {"CreateCloudFrontDistribution": "false"},
         {"CreateCloudFrontDistribution": "false", "AlternateDomainNames": "a.example.com, b.example.com"},
         created=there_is_no_distribution, changed=alternate_names_are_in_the_client),
    Case("existing pool", in_existing(), in_existing(AlternateDomainNames="new.example.com"),
         prepare=existing_pool(), created=the_pool_was_looked_up, changed=our_urls_follow_the_names,
         deleted=the_client_is_as_it_was),
    Case("existing pool, static site, another region", in_existing(EnableSPAMode="false"),
         in_existing(EnableSPAMode="false", LogLevel="info"), region="eu-west-1", prepare=existing_pool(secret=True),
         created=the_looked_up_secret_is_configured, deleted=the_client_is_as_it_was),
    Case("people of other providers", in_existing(Profile="enhanced"),
         in_existing(Profile="enhanced", Enhancements='{"rules": [{"paths": ["/**"], "require": {"groups": ["g"]}}]}'),
         prepare=existing_pool(providers=["COGNITO", "Google"]), created=the_operator_hears_of_the_other_providers,
         changed=a_rule_answers_the_warning, deleted=the_client_is_as_it_was),
    Case("pool of another account",
         {"UserPoolArn": OTHER_ACCOUNT_POOL, "UserPoolClientId": "other", "UserPoolClientSecret": "given",
          "UserPoolAuthDomain": "auth.other.example.com", "EnableSPAMode": "false"},
         {"UserPoolArn": OTHER_ACCOUNT_POOL, "UserPoolClientId": "other", "UserPoolClientSecret": "given",
          "UserPoolAuthDomain": "auth.other.example.com", "EnableSPAMode": "false", "LogLevel": "warn"},
         created=nothing_was_asked_of_the_other_account),
    Case("group with a first user", {"EmailAddress": "a@example.com", "UserPoolGroupName": "staff"},
         {"EmailAddress": "a@example.com", "UserPoolGroupName": "staff"},
         created=first_user_in_the_group, changed=nothing_was_called),
    Case("custom origin",
         {"CustomOriginDomainName": "www.example.com", "CustomOriginHeaderName": "X-Secret",
          "CustomOriginHeaderValue": "hush"},
         {"S3OriginDomainName": "mine.s3.eu-west-1.amazonaws.com"},
         created=custom_origin_with_a_header, changed=own_bucket_with_access_control),
    Case("bucket of one's own", {"S3OriginDomainName": "mine.s3.eu-west-1.amazonaws.com"},
         {"S3OriginDomainName": "mine.s3.eu-west-1.amazonaws.com", "OriginAccessIdentity": "E2OLD"},
         created=own_bucket_with_access_control, changed=own_bucket_with_access_identity),
    Case("names, paths, logs and firewall",
         {"Aliases": "www.example.com, example.com", "AcmCertificateArn": CERTIFICATE, "WebACLId": "acl",
          "CreateCloudFrontAccessLogsBucket": "true", "RedirectPathSignIn": "/cb",
          "RedirectPathAuthRefresh": "/renew", "SignOutUrl": "/bye"},
         {"Aliases": "www.example.com", "AcmCertificateArn": CERTIFICATE, "WebACLId": "acl",
          "CreateCloudFrontAccessLogsBucket": "true", "RedirectPathSignIn": "/cb",
          "RedirectPathAuthRefresh": "/renew", "SignOutUrl": "/bye"},
         created=names_logs_and_firewall, changed=one_name_is_gone, deleted=the_log_bucket_stays),
    Case("elasticsearch cookies",
         {"EnableSPAMode": "false", "CookieCompatibility": "elasticsearch", "AdditionalCookies": '{"a": "1; Secure"}'},
         {"EnableSPAMode": "false", "CookieCompatibility": "elasticsearch", "AdditionalCookies": '{"a": "1; Secure"}',
          "CloudFrontAccessLogsBucket": "logs.s3.amazonaws.com"},
         created=elasticsearch_cookies),
    Case("from a single page to a static site", updated={"EnableSPAMode": "false"},
         changed=another_client_for_a_static_site),
    Case("content of one's own", created=own_content, updated={"SignOutUrl": "/out"},
         changed=own_content_is_left_alone),
    Case("boundary and runtime",
         {"PermissionsBoundaryPolicyArn": "arn:aws:iam::123456789012:policy/boundary", "EdgeRuntime": "nodejs22.x"},
         {"PermissionsBoundaryPolicyArn": "arn:aws:iam::123456789012:policy/boundary", "EdgeRuntime": "nodejs24.x"},
         created=lambda walk: (boundary_is_on_every_role(walk), runtime("nodejs22.x")(walk)),
         changed=runtime("nodejs24.x")),
    Case("bad headers", {"HttpHeaders": '{"X-Cache": "a"}'}, fails="HttpHeaders.X-Cache: found a header"),
    Case("headers that are no json", {"HttpHeaders": "{X: 1}"}, fails="HttpHeaders: found no JSON (line 1, column 2)"),
    Case("bad cookie settings", {"CookieSettings": '{"idtoken": null}'}, region="eu-west-1",
         fails="CookieSettings.idtoken: found an unknown key"),
    Case("bad additional cookies", {"AdditionalCookies": '{"a": 1}'}, fails="AdditionalCookies.a: found 1"),
]
