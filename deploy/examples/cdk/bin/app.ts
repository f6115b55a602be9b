import { App, CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { Distribution } from "aws-cdk-lib/aws-cloudfront";
import { S3BucketOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";

import { Portcullis } from "../lib/portcullis.js";

const app = new App({ analyticsReporting: false });
const stack = new Stack(app, "SiteWithSignIn");

const auth = new Portcullis(stack, "Auth", {
  packagedTemplate: app.node.tryGetContext("packagedTemplate") ?? "packaged.yaml",
  parameters: { EnableSPAMode: "false", UserPoolGroupName: "readers" },
});

const content = new Bucket(stack, "Content", {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
});
const origin = S3BucketOrigin.withOriginAccessControl(content);
const distribution = new Distribution(stack, "Distribution", {
  defaultRootObject: "index.html",
  defaultBehavior: auth.content(origin),
  additionalBehaviors: auth.flow(origin),
  errorResponses: [{ httpStatus: 404, ttl: Duration.seconds(10) }],
});
auth.serve(distribution);

new CfnOutput(stack, "WebsiteUrl", { value: `https://${distribution.distributionDomainName}` });
new CfnOutput(stack, "Bucket", { value: content.bucketName });
