# The mongod that the tests bring, laid out as the image is that deploy/compose.yaml names: user 999, /data/db.
ARG BASE
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libcurl4t64 && \
    rm -rf /var/lib/apt/lists && install -d -o 999 -g 999 /data/db
COPY mongod /usr/local/bin/mongod
USER 999:999
