# The image of h1mock: one static binary, the links by which it is called, and a folder for provisions.
#
#   docker build -t testillano/h1mock .                                       from source, for this machine
#   docker buildx build --platform linux/amd64,linux/arm64 ...                for both, natively or by emulation
#   docker buildx build --build-context build=DIR .                           DIR/rootfs instead of the stage `build`:
#   podman build --format docker --build-context build=DIR .                  what `build.sh --prebuilt FILE` does
#
# BuildKit or podman 4.3 is needed. No heredocs, and no ARG in the name of a stage: podman 4.3 has neither.

# The release is said because image/static.toml has options that a later one may not know.
FROM docker.io/library/rust:1.96-alpine AS build
# mimalloc is C; readelf looks whether the result is static; the standard library is compiled with the program. Not pinned: the
# image moves from one Alpine to the next, which does not keep old versions.
# hadolint ignore=DL3018
RUN apk add --no-cache binutils gcc musl-dev && rustup component add rust-src
WORKDIR /src
COPY . .
ARG SOURCE_DATE_EPOCH=0
# The caches keep the dependencies; a folder for each machine, since both may be built at a time. Files of ours are touched
# because Cargo goes by their times: an older release than the one in the cache would count as built.
RUN --mount=type=cache,id=h1mock-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=h1mock-target,target=/target \
    target="$(rustc --print host-tuple)" && \
    find . -type f -exec touch {} + && \
    CARGO_TARGET_DIR="/target/$target" RUSTC_BOOTSTRAP=1 \
        cargo --config image/static.toml build --release --locked --target "$target" --bin h1mock && \
    image/rootfs.sh "/target/$target/$target/release/h1mock" /rootfs

FROM scratch
# One tree, so that the folders keep their modes, under a tmpfs too. The owner is said because a folder that stands for the
# stage `build` belongs to whoever made it.
COPY --from=build --chown=0:0 /rootfs/ /
ENV PATH=/bin
WORKDIR /app
# Numbers: Kubernetes can't tell from a name that it is not root. Any other user works as well.
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
