#!/bin/sh
# On a real server of direct routing:  real_server_dr.sh start 192.0.2.100    and    real_server_dr.sh stop 192.0.2.100
# The address stands on lo, and the machine does not say so on the wire: ARP for it is the director's.
case $1 in
start)
    sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.lo.arp_ignore=1
    sysctl -qw net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.lo.arp_announce=2
    ip addr replace "$2/32" dev lo
    ;;
stop)
    ip addr del "$2/32" dev lo
    sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.lo.arp_ignore=0
    sysctl -qw net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.lo.arp_announce=0
    ;;
*)
    echo "usage: $0 start|stop ADDRESS" >&2
    exit 2
    ;;
esac
