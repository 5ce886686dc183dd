#!/usr/bin/env bash
# The chain of compose.yaml from nothing to nothing: joins, sells, is cut, is killed, loses a volume, and is gone.
# docker/smoke.sh [--as-they-are]: with the images that are there.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-tpvsmoke}
compose() { docker-compose --file compose.yaml "$@"; }
if docker compose version > /dev/null 2>&1; then compose() { docker compose --file compose.yaml "$@"; }; fi
step() { printf 'smoke, after %3d s: %s\n' "$SECONDS" "$*"; }
die() { step "FAILED: $*" >&2; compose ps >&2 || true; compose logs --tail=30 >&2 || true; exit 1; }
trap 'compose down --volumes --remove-orphans --timeout 5 > /dev/null 2>&1' EXIT

# What a node answers to a query; nothing while it is down.
ask() { compose exec -T "$1" psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=tpv --command="$2" 2> /dev/null || true; }
# Waits until a query says what it should: until_says SECONDS NODE QUERY ANSWER
until_says() {
  local end=$((SECONDS + $1)) said=
  while ((SECONDS < end)); do
    said=$(ask "$2" "$3")
    [[ $said == "$4" ]] && return
    sleep 0.5
  done
  die "$2 says '$said' and not '$4' to: $3"
}
until_alike() {
  local end=$((SECONDS + $1)) all=
  while ((SECONDS < end)); do
    all=$(for node in central s01 s02; do ask "$node" "$2"; done | sort -u)
    [[ $(wc -l <<< "$all") == 1 && -n $all ]] && return
    sleep 0.5
  done
  die "the nodes differ: $all"
}
sell() { compose exec -T "$1-watcher" tpv-play "$2" 0 > /dev/null; }
files() { compose exec -T "$1-watcher" bash -c 'find /srv/tpv/spool/out -name "*.dat" | wc -l'; }
until_files() {
  local end=$((SECONDS + 30))
  while ((SECONDS < end)); do [[ $(files "$1") == "$2" ]] && return; sleep 0.5; done
  die "$1 has $(files "$1") .dat files and not $2"
}
join() { docker wait "${COMPOSE_PROJECT_NAME}_$1-join_1" 2> /dev/null || docker wait "${COMPOSE_PROJECT_NAME}-$1-join-1"; }
container() { compose ps -q "$1"; }

[[ ${1:-} == --as-they-are ]] || ./build
./certs.sh central s01 s02
compose down --volumes --remove-orphans --timeout 5 > /dev/null 2>&1

step "central and two stores start"
compose up --detach > /dev/null 2>&1 || die "compose up"
for store in s01 s02; do
  [[ $(join "$store") == 0 ]] || die "$store has not joined"
done
until_says 90 central "select count(*) from sync.status where state = 'running'" 4
step "both have joined, over TLS: $(ask central "select string_agg(distinct version, ' ') from pg_stat_ssl join pg_stat_replication using (pid) where ssl")"
until_says 10 central "select bool_and(ssl) from pg_stat_ssl join pg_stat_replication using (pid)" t

[[ $(compose exec -T s01-watcher grep CapEff /proc/1/status) == *0000000010000000 ]] || die "the watcher has no CAP_LEASE, or more than that"

end=$((SECONDS + 60))
while ((SECONDS < end)) && docker inspect --format '{{.State.Health.Status}}' $(compose ps -q central{,-gateway} s0{1,2}{,-gateway,-watcher}) | grep -qv '^healthy'; do
  sleep 0.5
done
((SECONDS < end)) || die "not all are healthy"

step "central's certificate is renewed while it works"
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$(container central)" | cut -d ' ' -f 1)
serial() { openssl x509 -noout -serial; }
shown() { openssl s_client -starttls postgres -connect "$address:5432" < /dev/null 2> /dev/null | serial; }
streams="select string_agg(pid::text, ' ' order by pid) from pg_stat_replication"
[[ $(shown) == "$(serial < tls/central.pem)" ]] || die "central shows another certificate than its own"
before=$(ask central "$streams")
./certs.sh central s01 s02 > /dev/null
compose exec -T central tpv-node renew-tls > /dev/null || die "central does not take the new certificate"
end=$((SECONDS + 20))
while [[ $(shown) != "$(serial < tls/central.pem)" ]]; do
  ((SECONDS < end)) || die "central still shows the old certificate"
  sleep 0.5
done
[[ $(ask central "$streams") == "$before" ]] || die "a stream was interrupted"

step "a receipt in the volume of a store"
sell s01 1
until_files s01 1
until_says 30 central "select count(*) from sales.receipt where node_id = 1" 1

step "s01 is cut off; both sides edit one customer, and it sells on"
ask s01 "insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000aa', 'Ana')" > /dev/null
until_says 30 s02 "select count(*) from party.customer" 1
network=$(docker network ls --format '{{.Name}}' | grep "^${COMPOSE_PROJECT_NAME}_chain$")
docker network disconnect "$network" "$(container s01)"
ask s01 "update party.customer set phone = 'store'" > /dev/null
ask central "update party.customer set phone = 'central'" > /dev/null
sell s01 5
until_files s01 6
[[ $(ask central "select count(*) from sales.receipt where node_id = 1") == 1 ]] || die "the line is not cut"
docker network connect --alias s01 "$network" "$(container s01)"
until_says 90 central "select count(*) from sales.receipt where node_id = 1" 6
until_alike 60 "select md5(string_agg(c::text, ',' order by customer_id)) from party.customer c"
until_says 30 central "select count(distinct node_id) from sync.sibling where column_name = 'phone'" 2
step "all are equal again, and the conflict is on record"

step "kill -9 of central"
docker kill --signal KILL "$(container central)" > /dev/null
sell s02 3
until_files s02 3
# As a machine that comes back: Docker starts by itself what ended by itself, and not what a person killed.
docker start "$(container central)" > /dev/null
until_says 120 central "select count(*) from sales.receipt where node_id = 2" 3

step "s02 loses its data"
before=$(ask central "select count(*) || ' ' || sum(total) from sales.receipt where node_id = 2")
compose rm --stop --force -v s02 s02-migrate s02-join s02-watcher s02-gateway s02-play > /dev/null 2>&1
docker volume rm "${COMPOSE_PROJECT_NAME}_s02-data" > /dev/null
compose up --detach s02 s02-migrate s02-watcher > /dev/null 2>&1 || die "compose up of s02"
compose run --rm -T s02-join tpv-node-join rejoin > /dev/null || die "s02 does not join again"
until_says 120 s02 "select count(*) || ' ' || sum(total) from sales.receipt where node_id = 2" "$before"
sell s02 2
until_says 60 central "select count(*) from sales.receipt where node_id = 2" 5
until_alike 60 "select md5(string_agg(c::text, ',' order by customer_id)) from party.customer c"
step "it has back what central had, and sells on"

step "no secret is where others look"
ids=$(compose ps -q)
docker inspect $ids | grep -iE 'password=|BEGIN [A-Z ]*PRIVATE' && die "docker inspect shows a secret"
for id in $ids; do docker top "$id" -eo pid,args 2> /dev/null; done | grep -E 'password=|postgresql://[^ ]*:[^ @]*@' && die "ps shows a secret"
compose logs 2>&1 | grep -E 'SCRAM-SHA-256\$|password=[0-9a-f]{64}|PRIVATE KEY' && die "a log has a secret"
for image in tpv-node tpv-watcher tpv-gateway; do
  docker history --no-trunc --format '{{.CreatedBy}}' "$image" | grep -iE 'password|secret' && die "a layer of $image has a secret"
  docker run --rm --user root --entrypoint bash "$image" -c '! command -v gcc cc ld make cargo' || die "$image has a compiler"
  docker run --rm --user root --entrypoint bash "$image" -c '! grep -rlE "PRIVATE KEY" /etc /usr/local /var /srv' ||
    die "$image has a private key"
done

step "down -v leaves nothing"
compose down --volumes --timeout 30 > /dev/null 2>&1
left=$(docker ps --all --quiet --filter "name=^${COMPOSE_PROJECT_NAME}[-_]"; docker volume ls --quiet | grep "^${COMPOSE_PROJECT_NAME}_"; docker network ls --quiet --filter "name=^${COMPOSE_PROJECT_NAME}_") || true
[[ -z $left ]] || die "there is left: $left"
step "all of it passed"
