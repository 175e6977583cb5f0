# Debian's Redis, laid out as the image is that deploy/compose.yaml names: user 999, /data.
ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server && \
    rm -rf /var/lib/apt/lists && install -d -o 999 -g 999 /data
USER 999:999
