#!/usr/bin/env bash
# `make demo`: a generated file goes into a fresh shop, and a number is asked for. Run it again as often as you like.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

crm=.venv/bin/crm
data=${CRM_DATA:-annals-data}
mkdir -p "$data.files"
orders=$data.files/orders.csv

.venv/bin/python examples/generate_purchases.py "$orders"
echo "Importing $(($(wc -l <"$orders") - 1)) made-up lines of orders into $data ..."
$crm import --data "$data" "$orders" --mapping examples/mappings/demo_orders.toml
echo
echo "The telephone rings: +40 21 312 0003. Who is it?"
echo
$crm screen-pop --data "$data" "+40 21 312 0003"
echo
echo "Try next:  $crm screen-pop --data $data --external-id demo-shop:K0007"
echo "           $crm lag --data $data     $crm verify --data $data     $crm serve --data $data"
echo "Your own file: docs/import.md"
