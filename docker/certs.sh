#!/usr/bin/env bash
# Certificates for the servers of a chain: docker/certs.sh NAME…, e.g. docker/certs.sh central s01 s02. NAME is
# the name by which a server is reached. The first run makes an authority; each run makes the certificates anew,
# for a year, so it also renews them: `docker compose exec central tpv-node renew-tls` then, in each node.
#
# The folder tls/ is its owner's alone. The files in it are readable, since containers read them as other users.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
(($#)) || { echo "usage: docker/certs.sh NAME…, e.g. docker/certs.sh central s01 s02" >&2; exit 2; }
command -v openssl > /dev/null || { echo "certs.sh: openssl is missing" >&2; exit 1; }

install -d -m 0700 tls
cd tls
if [[ ! -e ca.key ]]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=tpv' \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout ca.key -out ca.pem 2> /dev/null
  chmod 600 ca.key
  echo "tls/ca.pem: the authority; keep tls/ca.key where nobody finds it"
fi
for name in "$@"; do
  [[ $name =~ ^[A-Za-z0-9.-]+$ ]] || { echo "certs.sh: $name is no name of a server" >&2; exit 2; }
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name.key.new" -out "$name.csr" 2> /dev/null
  openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -out "$name.pem.new" 2> /dev/null \
    -extfile <(printf 'subjectAltName=DNS:%s,DNS:localhost\nextendedKeyUsage=serverAuth\n' "$name")
  rm "$name.csr"
  chmod 644 "$name.key.new" "$name.pem.new"
  # Into the files that are there: a running container has these, and not others of their names.
  for file in "$name.key" "$name.pem"; do
    if [[ -e $file ]]; then cat "$file.new" > "$file"; rm "$file.new"; else mv "$file.new" "$file"; fi
  done
  echo "tls/$name.pem: until $(openssl x509 -noout -enddate -in "$name.pem" | cut -d = -f 2)"
done
