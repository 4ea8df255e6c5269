# The image of h1mock: a static binary, links with the names of its applets, and a folder for provisions.
#
#   docker build -t testillano/h1mock .                                       from source, for this machine
#   docker buildx build --platform linux/amd64,linux/arm64 ...                for both, natively or by emulation
#   docker buildx build --build-context build=DIR .                           DIR/rootfs instead of the stage `build`:
#   podman build --format docker --build-context build=DIR .                  what `build.sh --prebuilt FILE` does
#
# Needs BuildKit or podman 4.3. podman 4.3 supports neither heredocs nor an ARG in the name of a stage.

# The version of Rust is fixed, since later versions may not have the unstable options of image/static.toml.
FROM docker.io/library/rust:1.96-alpine AS build
# gcc compiles mimalloc, readelf checks that the result is static, and rust-src is the source of the standard library. Versions are
# not pinned, since the base image moves to new releases of Alpine, which don't keep old versions.
# hadolint ignore=DL3018
RUN apk add --no-cache binutils gcc musl-dev && rustup component add rust-src
WORKDIR /src
COPY . .
ARG SOURCE_DATE_EPOCH=0
# The caches keep compiled dependencies, in one folder for each machine, since builds for both may run at once. `touch` makes Cargo
# compile the sources again: it compares times, and would take an older release for the one in the cache.
RUN --mount=type=cache,id=h1mock-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=h1mock-target,target=/target \
    target="$(rustc --print host-tuple)" && \
    find . -type f -exec touch {} + && \
    CARGO_TARGET_DIR="/target/$target" RUSTC_BOOTSTRAP=1 \
        cargo --config image/static.toml build --release --locked --target "$target" --bin h1mock && \
    image/rootfs.sh "/target/$target/$target/release/h1mock" /rootfs

FROM scratch
# Copies one tree, so that folders keep their modes. --chown is needed for --build-context, whose folder belongs to the user who
# made it.
COPY --from=build --chown=0:0 /rootfs/ /
ENV PATH=/bin
WORKDIR /app
# The user is a number, since Kubernetes cannot check that a name is not root. Any other user works too.
USER 65532:65532
EXPOSE 8000 8074
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/bin/h1mock", "probe"]
ENTRYPOINT ["/bin/h1mock"]

ARG version=unknown
ARG revision=unknown
LABEL org.opencontainers.image.title="h1mock" \
      org.opencontainers.image.description="HTTP/1 mock server for Docker and Kubernetes, programmed with Rhai provisions in Flask's vocabulary" \
      org.opencontainers.image.source="https://github.com/testillano/h1mock" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$version" \
      org.opencontainers.image.revision="$revision"
