#!/bin/sh
# Ends with 0 while a process of this name runs:  check_process.sh nginx
exec pgrep -x "$1" >/dev/null
