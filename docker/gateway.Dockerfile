# The gateway of a node. Build all images with docker/build.
FROM debian:bookworm-slim AS files
COPY deb/tpv-gateway_*.deb /deb/
RUN dpkg-deb -x /deb/tpv-gateway_*.deb /files

FROM debian:bookworm-slim
RUN groupadd --system --gid 902 tpv-gateway && useradd --system --uid 902 --gid 902 --home-dir /nonexistent tpv-gateway \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && install -d -o tpv-gateway -g tpv-gateway -m 0700 /var/lib/tpv-gateway
COPY --from=files /files/usr/bin/tpv-gateway /usr/bin/
COPY ask gateway/ /usr/local/bin/
ENV TPV_GATEWAY_KEYS=/var/lib/tpv-gateway/keys TPV_GATEWAY_LOG_FORMAT=json \
    TPV_GATEWAY_DATABASE_URL=postgresql:///tpv?host=/run/postgresql
USER tpv-gateway
VOLUME /var/lib/tpv-gateway
EXPOSE 9620
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["ask", "9621", "/readyz"]
CMD ["tpv-gateway-start"]
