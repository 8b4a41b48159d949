#!/bin/sh
# recordings.sh CONFORMANCE ARCHIVE: unpack recordings of real kernels and replay them all; then some
# with one number changed, which must be noticed.
set -eu
conformance=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -C "$scratch" -xJf "$2"
cd "$scratch"
"$conformance" --ground-truth ./*/*.json

while read -r file change; do
	sed "$change" "$file" >changed.json
	if cmp -s "$file" changed.json || "$conformance" --ground-truth changed.json >changed.log; then
		echo "$file passes, changed by $change"
		exit 1
	fi
	head -n 1 changed.log
done <<'CHANGES'
6.12-amd64-intel/fresh-noncontig.json s/"chunks": \[\[0,/"chunks": [[1,/
6.12-arm64-smmuv3/fresh-noncontig.json s/f47"/f43"/
6.1-amd64-amd/mixed-seed1.json s/"map_pages": \[\[/"map_pages": [[1/
6.1-amd64-intel/fresh-noncontig.json s/"free_factor":5/"free_factor":4/
6.12-amd64-intel/mixed-seed1.json s/"alloc_factor":1/"alloc_factor":2/
6.12-amd64-intel/map-sg.json s/"dma_sg": \[\[/"dma_sg": [[1/
6.12-amd64-intel/map-page.json s/"iova_free": \[\[/"iova_free": [[1/
6.1-amd64-intel/contiguous.json s/"frees": \[\[2,/"frees": [[3,/
6.1-amd64-intel/contiguous.json s/"iova_alloc": \[\[16,/"iova_alloc": [[32,/
6.1-amd64-intel/contiguous.json s/"pages": \[\[2/"pages": [[1/
6.1-amd64-amd/iova-exhaust-64.json s/"dma_sg": \[\[3/"dma_sg": [[2/
6.12-amd64-intel/map-page.json s/"dma_addr":4/"dma_addr":3/
6.12-amd64-intel/fresh-noncontig.json s/"dma_opt_mapping": *"0x2/"dma_opt_mapping": "0x4/
CHANGES
