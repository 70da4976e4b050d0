#!/bin/sh
# Called by the examples: writes its arguments to the system's log.
exec logger -t notify.sh -- "$@"
