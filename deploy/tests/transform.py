"""What CloudFormation makes of the SAM template, without asking AWS."""

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
}


def transform(path):
    """The template after the transform, as a dictionary."""
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            # As `sam package` leaves it.
            resource["Properties"]["CodeUri"] = f"s3://packages/{name}.zip"
    session = boto3.Session(region_name="us-east-1")
    translator = Translator(MANAGED_POLICIES, Parser(), boto_session=session)
    transformed = translator.translate(sam_template=template, parameter_values={})
    transformed.pop("Transform", None)
    return transformed
