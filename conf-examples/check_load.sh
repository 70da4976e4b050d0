#!/bin/sh
# Judges the real server $1: 0 alive, 1 dead, N from 2 to 255 alive with weight N - 2. Here: alive if it answers a ping.
ping -c 1 -W 1 "$1" >/dev/null 2>&1 || exit 1
exit 0
