# The watcher of a store. Build all images with docker/build.
FROM debian:bookworm-slim AS files
COPY deb/tpv-watcher_*.deb /deb/
RUN dpkg-deb -x /deb/tpv-watcher_*.deb /files

FROM debian:bookworm-slim
COPY --from=files /files/usr/bin/tpv-watcher /usr/bin/
# A lease on a terminal's file needs its owner or this capability; of a user who is not root only the
# file's own capability takes effect, and copying to a later stage would lose it. compose adds LEASE to
# what the container may have.
RUN groupadd --system --gid 901 tpv && useradd --system --uid 901 --gid 901 --home-dir /nonexistent tpv \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates libcap2-bin \
 && setcap cap_lease+ep /usr/bin/tpv-watcher \
 && apt-get purge --yes --auto-remove libcap2-bin \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && install -d -o tpv -g tpv -m 0750 /srv/tpv /srv/tpv/spool
COPY ask watcher/ play/ /usr/local/bin/
ENV TPV_SPOOL=/srv/tpv/spool TPV_LOG_FORMAT=json \
    TPV_DATABASE_URL=postgresql://tpv_watcher@/tpv?host=/run/postgresql
USER tpv
VOLUME /srv/tpv/spool
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["ask", "9611", "/readyz"]
CMD ["tpv-watcher-start"]
