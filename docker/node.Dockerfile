# A node: PostgreSQL with the extension, and tpv-migrate. Build all images with docker/build.
FROM debian:bookworm-slim AS files
COPY deb/tpv-node-15_*.deb /deb/
RUN dpkg-deb -x /deb/tpv-node-15_*.deb /files \
 && mkdir -p /files/usr/bin \
 && ln -s ../lib/tpv/15/tpv-migrate /files/usr/bin/tpv-migrate

FROM debian:bookworm-slim
# The numbers are the same in all images: over the socket PostgreSQL knows each program by its user.
# Debian makes a certificate for each server it is installed on; all containers would share this one.
RUN groupadd --system --gid 900 postgres && useradd --system --uid 900 --gid 900 --home-dir /var/lib/postgresql postgres \
 && groupadd --system --gid 901 tpv && useradd --system --uid 901 --gid 901 --home-dir /nonexistent tpv \
 && groupadd --system --gid 902 tpv-gateway && useradd --system --uid 902 --gid 902 --home-dir /nonexistent tpv-gateway \
 && mkdir -p /etc/postgresql-common \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql-15 postgresql-15-cron ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem \
 && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data \
 && install -d -o postgres -g postgres -m 0755 /run/postgresql
COPY --from=files /files /
COPY node/ /usr/local/bin/
# Below the mount of a volume: the database is moved there when it is complete. No VOLUME is declared here, since each
# job would get one that nobody removes.
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data/15 LANG=C.UTF-8
USER postgres
EXPOSE 5432
# Fast shutdown: sessions end, and a checkpoint is written.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["pg_isready", "--quiet", "--host=/run/postgresql"]
CMD ["tpv-node"]
