import { existsSync } from "node:fs";
import { Aws, CfnStack, CustomResource } from "aws-cdk-lib";
import { type AddBehaviorOptions, type BehaviorOptions, CachePolicy, type Distribution, type EdgeLambda, type IOrigin, LambdaEdgeEventType, ViewerProtocolPolicy } from "aws-cdk-lib/aws-cloudfront";
import { Version } from "aws-cdk-lib/aws-lambda";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";

/** Parameters of Portcullis' template, by their names, as text. */
export type Parameters = Readonly<Record<string, string>>;

export interface PortcullisProps {
  /** What `sam package` writes: the template with its programs in a bucket. */
  readonly packagedTemplate: string;
  /** Parameters of the template; what is left out has its default. */
  readonly parameters?: Parameters;
}

/** The paths of the flow, as the template has them unless told otherwise. */
const PATHS = {
  RedirectPathSignIn: "/parseauth",
  RedirectPathSignOut: "/",
  RedirectPathAuthRefresh: "/refreshauth",
  SignOutUrl: "/signout",
} as const;

/** Sign-in for distributions of one's own: the functions, and a user pool unless `UserPoolArn` names one. */
export class Portcullis extends Construct {
  private readonly stack: CfnStack;
  private readonly parameters: Parameters;

  constructor(scope: Construct, id: string, { packagedTemplate, parameters = {} }: PortcullisProps) {
    super(scope, id);
    if (!existsSync(packagedTemplate)) {
      throw new Error(`${packagedTemplate} is not there: sam build && sam package --output-template-file ${packagedTemplate}`);
    }
    this.parameters = { ...PATHS, ...parameters };
    const template = new Asset(this, "Template", { path: packagedTemplate });
    this.stack = new CfnStack(this, "Stack", {
      templateUrl: template.httpUrl,
      parameters: { ...parameters, CreateCloudFrontDistribution: "false" },
    });
  }

  /** How the content is served: to signed-in viewers, with the configured headers. */
  content(origin: IOrigin, options: AddBehaviorOptions = {}): BehaviorOptions {
    return {
      origin,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      ...options,
      edgeLambdas: [
        this.edgeLambda("CheckAuthHandler", LambdaEdgeEventType.VIEWER_REQUEST),
        this.edgeLambda("HttpHeadersHandler", LambdaEdgeEventType.ORIGIN_RESPONSE),
      ],
    };
  }

  /** The paths of the flow. The functions answer them, so any origin does. */
  flow(origin: IOrigin): Record<string, BehaviorOptions> {
    const answered = (output: string): BehaviorOptions => ({
      origin,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      edgeLambdas: [this.edgeLambda(output, LambdaEdgeEventType.VIEWER_REQUEST)],
    });
    return {
      [this.parameter("RedirectPathSignIn")]: answered("ParseAuthHandler"),
      [this.parameter("RedirectPathAuthRefresh")]: answered("RefreshAuthHandler"),
      [this.parameter("SignOutUrl")]: answered("SignOutHandler"),
    };
  }

  /** Tells the app client that users come back to this distribution. */
  serve(distribution: Distribution, hosts: readonly string[] = []): void {
    const pool = this.parameters.UserPoolArn;
    new CustomResource(this, "ClientUrls", {
      resourceType: "Custom::UserPoolClientUpdate",
      serviceToken: this.output("UserPoolClientUpdateHandler"),
      properties: {
        UserPoolArn: pool ?? `arn:${Aws.PARTITION}:cognito-idp:${Aws.REGION}:${Aws.ACCOUNT_ID}:userpool/${this.output("UserPoolId")}`,
        UserPoolClientId: this.parameters.UserPoolClientId ?? this.output("ClientId"),
        CloudFrontDistributionDomainName: distribution.distributionDomainName,
        Aliases: hosts,
        RedirectPathSignIn: this.parameter("RedirectPathSignIn"),
        RedirectPathSignOut: this.parameter("RedirectPathSignOut"),
      },
    });
  }

  /** An output of the template, by its name. */
  output(name: string): string {
    return this.stack.getAtt(`Outputs.${name}`).toString();
  }

  private parameter(name: keyof typeof PATHS): string {
    return this.parameters[name] ?? PATHS[name];
  }

  private edgeLambda(output: string, eventType: LambdaEdgeEventType): EdgeLambda {
    return { functionVersion: Version.fromVersionArn(this, output, this.output(output)), eventType };
  }
}
