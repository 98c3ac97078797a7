# The auth server, from the sources: docker build --tag sealwax .
# docs/production.md has the commands to run it, and a shorter file for the published packages.
FROM node:24-slim AS packed
WORKDIR /src
COPY . .
RUN npm ci && npm run build && mkdir /packed \
  && npm pack --pack-destination /packed --workspace @sealwax/jwt --workspace @sealwax/guard --workspace sealwax

FROM node:24-slim
WORKDIR /app
COPY --from=packed /packed /tmp/packed
RUN npm install --omit=dev --no-audit --no-fund /tmp/packed/*.tgz commander pino postgres kysely-postgres-js nodemailer \
  && rm -rf /tmp/packed /root/.npm && mkdir --mode=0700 /data && chown node:node /data
USER node
VOLUME /data
ENV NODE_ENV=production SEALWAX_HOST=0.0.0.0 SEALWAX_DATABASE_URL=sqlite:/data/sealwax.db
EXPOSE 5000
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "node_modules/sealwax/bin/sealwax.js"]
CMD ["serve"]
