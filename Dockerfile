FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production LOG_FORMAT=json DATA_DIR=/data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
# SIP, console, RTP. SIP and RTP behind a port mapping need EXTERNAL_IP; host networking is simpler.
EXPOSE 5060/udp 5060/tcp 5061/tcp 8443/tcp 2323/tcp 2022/tcp 20000-29999/udp
# Without host networking set NODE_NAME: each new container has another host name, and a server finds its alarms, relays and calls by it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
