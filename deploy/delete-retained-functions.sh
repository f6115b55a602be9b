#!/usr/bin/env bash
# Deletes the edge functions that a deleted stack left behind, once CloudFront has dropped its copies.
#
#   deploy/delete-retained-functions.sh STACK_NAME
#
# Needs the AWS CLI. Says which functions still cannot be deleted, and exits with 1 then.
set -euo pipefail
stack="${1:?usage: $0 STACK_NAME}"
export AWS_REGION=us-east-1

if aws cloudformation describe-stacks --stack-name "$stack" >/dev/null 2>&1; then
    echo "stack $stack is still there: delete it first" >&2
    exit 1
fi
# CloudFormation marks what it makes with its stack.
functions=$(aws resourcegroupstaggingapi get-resources --resource-type-filters lambda:function \
    --tag-filters "Key=aws:cloudformation:stack-name,Values=$stack" \
    --query 'ResourceTagMappingList[].ResourceARN' --output text)
left=0
for function in $functions; do
    if aws lambda delete-function --function-name "$function"; then
        echo "deleted $function"
    else
        left=1
    fi
done
exit "$left"
