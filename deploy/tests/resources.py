"""What CloudFormation itself makes: by calls to moto where programs look at it, by a name where not."""

import json
import uuid

from botocore.exceptions import ClientError
from cloud import package


class Named:
    """A kind that no program looks at."""

    def create(self, stack, name, properties):
        return f"{name}-{uuid.uuid4().hex[:8]}", {"Arn": f"arn:aws:other:::{name}", "Id": f"{name}-id"}

    def replaces(self, old, new):
        return False

    def update(self, stack, physical_id, properties):
        pass

    def delete(self, stack, physical_id, properties):
        pass


class Role(Named):
    def create(self, stack, name, properties):
        role_name = f"{name}-{uuid.uuid4().hex[:8]}"
        role = stack.cloud.client("iam").create_role(
            RoleName=role_name, AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]))["Role"]
        return role_name, {"Arn": role["Arn"]}

    def delete(self, stack, physical_id, properties):
        stack.cloud.client("iam").delete_role(RoleName=physical_id)


class Function(Named):
    def create(self, stack, name, properties):
        physical_id = properties.get("FunctionName") or f"teststack-{name}-{uuid.uuid4().hex[:12].upper()}"
        assert len(physical_id) <= 64, physical_id
        code = package({"bootstrap": "program", "check-auth.py": "import portcullis_start\n"})
        made = stack.cloud.client("lambda", stack.region).create_function(
            FunctionName=physical_id, Runtime=properties["Runtime"], Role=properties["Role"],
            Handler=properties["Handler"], Code={"ZipFile": code}, Timeout=properties["Timeout"])
        stack.cloud.packages[made["FunctionArn"]] = code
        return physical_id, {"Arn": made["FunctionArn"]}

    def replaces(self, old, new):
        return old.get("FunctionName") != new.get("FunctionName")

    def update(self, stack, physical_id, properties):
        stack.cloud.client("lambda", stack.region).update_function_configuration(
            FunctionName=physical_id, Runtime=properties["Runtime"])

    def delete(self, stack, physical_id, properties):
        functions = stack.cloud.client("lambda", stack.region)
        try:
            functions.delete_function(FunctionName=physical_id)
        except functions.exceptions.ResourceNotFoundException:
            pass


class UserPool(Named):
    def create(self, stack, name, properties):
        pool = stack.cloud.client("cognito-idp", stack.region).create_user_pool(
            PoolName=properties["UserPoolName"], UsernameAttributes=properties["UsernameAttributes"])["UserPool"]
        return pool["Id"], {"Arn": pool["Arn"]}

    def delete(self, stack, physical_id, properties):
        stack.cloud.client("cognito-idp", stack.region).delete_user_pool(UserPoolId=physical_id)


class UserPoolClient(Named):
    def create(self, stack, name, properties):
        cognito = stack.cloud.client("cognito-idp", stack.region)
        client = cognito.create_user_pool_client(ClientName=name, **properties)["UserPoolClient"]
        return client["ClientId"], {}

    def replaces(self, old, new):
        return old["GenerateSecret"] != new["GenerateSecret"]

    def update(self, stack, physical_id, properties):
        properties = {name: value for name, value in properties.items() if name != "GenerateSecret"}
        cognito = stack.cloud.client("cognito-idp", stack.region)
        cognito.update_user_pool_client(ClientId=physical_id, **properties)

    def delete(self, stack, physical_id, properties):
        cognito = stack.cloud.client("cognito-idp", stack.region)
        cognito.delete_user_pool_client(UserPoolId=properties["UserPoolId"], ClientId=physical_id)


class UserPoolDomain(Named):
    def create(self, stack, name, properties):
        stack.cloud.client("cognito-idp", stack.region).create_user_pool_domain(**properties)
        return properties["Domain"], {}

    def delete(self, stack, physical_id, properties):
        stack.cloud.client("cognito-idp", stack.region).delete_user_pool_domain(**properties)


class Group(Named):
    def create(self, stack, name, properties):
        stack.cloud.client("cognito-idp", stack.region).create_group(**properties)
        return properties["GroupName"], {}


class User(Named):
    def create(self, stack, name, properties):
        stack.cloud.client("cognito-idp", stack.region).admin_create_user(**properties)
        return properties["Username"], {}


class GroupMember(Named):
    def create(self, stack, name, properties):
        stack.cloud.client("cognito-idp", stack.region).admin_add_user_to_group(**properties)
        return name, {}


class Bucket(Named):
    def create(self, stack, name, properties):
        physical_id = f"teststack-{name.lower()}-{uuid.uuid4().hex[:8]}"
        stack.cloud.client("s3").create_bucket(Bucket=physical_id)
        domain = f"{physical_id}.s3.amazonaws.com"
        regional = f"{physical_id}.s3.{stack.region}.amazonaws.com"
        return physical_id, {"Arn": f"arn:aws:s3:::{physical_id}", "DomainName": domain, "RegionalDomainName": regional}

    def delete(self, stack, physical_id, properties):
        try:
            stack.cloud.client("s3").delete_bucket(Bucket=physical_id)
        except ClientError as error:
            raise AssertionError(f"bucket {physical_id}: {error}") from error


class Distribution(Named):
    def create(self, stack, name, properties):
        config = properties["DistributionConfig"]
        origins = {origin["Id"] for origin in config["Origins"]}
        for behaviour in [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]:
            assert behaviour["TargetOriginId"] in origins
            for association in behaviour["LambdaFunctionAssociations"]:
                arn = association["LambdaFunctionARN"].split(":")
                assert arn[3] == "us-east-1" and arn[7].isdigit(), association
        for origin in config["Origins"]:
            assert ("S3OriginConfig" in origin) != ("CustomOriginConfig" in origin), origin
        return "E1EXAMPLE", {"DomainName": "d111111abcdef8.cloudfront.net", "Id": "E1EXAMPLE"}

    def update(self, stack, physical_id, properties):
        self.create(stack, None, properties)


KINDS = {
    None: Named(),
    "AWS::IAM::Role": Role(),
    "AWS::Lambda::Function": Function(),
    "AWS::Cognito::UserPool": UserPool(),
    "AWS::Cognito::UserPoolClient": UserPoolClient(),
    "AWS::Cognito::UserPoolDomain": UserPoolDomain(),
    "AWS::Cognito::UserPoolGroup": Group(),
    "AWS::Cognito::UserPoolUser": User(),
    "AWS::Cognito::UserPoolUserToGroupAttachment": GroupMember(),
    "AWS::S3::Bucket": Bucket(),
    "AWS::CloudFront::Distribution": Distribution(),
}
