# The proxy as a container image: `docker build -t portcullis .` (BuildKit, buildah or podman).
#
#   --build-arg HOW=trained   guided by profiles: faster to run, slower to build (scripts/static-build.sh)
#   --target prebuilt         the same from dist/container/portcullis, a program that scripts/static-build.sh has made
#   --target dev-idp          the demo's identity provider instead (deploy/compose)
#
# The program is linked statically, the C library included: it brings everything with it, so the base holds no
# library that could be outdated, no shell and no package manager; only certificates, users and /tmp.

ARG RUST_VERSION=1.95.0

# Compilers run on the builder's own platform, whatever platform the image is for.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:${RUST_VERSION}-slim-bookworm AS source
# Security fixes of the build tools are worth more than their exact versions, and none of them ships.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG TARGETARCH
# A compiler for the other platform, where there is one.
RUN scripts/static-build.sh prepare "$TARGETARCH"

FROM source AS built
ARG TARGETARCH
# trained: guided by profiles, for the builder's own platform alone. The image takes three times as long to build.
ARG HOW=build
RUN --mount=type=cache,id=portcullis-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=portcullis-target-${TARGETARCH},target=/source/target,sharing=locked \
    if [ "$HOW" = trained ]; then rustup component add llvm-tools; fi \
    && scripts/static-build.sh "$HOW" "$TARGETARCH" dist portcullis /out -p proxy --no-default-features

FROM source AS built-dev-idp
ARG TARGETARCH
RUN --mount=type=cache,id=portcullis-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=portcullis-target-${TARGETARCH},target=/source/target,sharing=locked \
    scripts/static-build.sh build "$TARGETARCH" release dev-idp /out -p dev-idp

# The demo's identity provider. It protects nothing: never expose it.
FROM gcr.io/distroless/static-debian12:nonroot AS dev-idp
LABEL org.opencontainers.image.title="dev-idp" \
      org.opencontainers.image.description="A Cognito-shaped identity provider for demos and tests; it protects nothing" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=built-dev-idp /out/dev-idp /usr/bin/dev-idp
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/dev-idp"]

# All of the image but the program.
FROM gcr.io/distroless/static-debian12:nonroot AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="portcullis" \
      org.opencontainers.image.description="Cognito sign-in in front of an S3 bucket or another origin" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number, so that Kubernetes can see that it is not root's.
USER 65532:65532
# Viewers: http, https. Operators: 9090, on loopback unless admin.listen says otherwise.
EXPOSE 8080 8443 9090
STOPSIGNAL SIGTERM
# Reads the same configuration as the server, and asks the admin listener.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/portcullis", "healthcheck"]
# Configuration: variables, or /etc/portcullis/config.toml. Secrets: files in /run/secrets.
ENTRYPOINT ["/usr/bin/portcullis"]
CMD ["run"]

FROM runtime AS prebuilt
COPY dist/container/portcullis /usr/bin/portcullis

FROM runtime AS portcullis
COPY --from=built /out/portcullis /usr/bin/portcullis
