"""An authoritative name server on loopback, UDP and TCP, whose zone file may change.

usage: dns_serve.py PORT ZONEFILE
"""
import sys
import time

from dnslib.server import DNSServer
from dnslib.zoneresolver import ZoneResolver


class Rereading:
    def resolve(self, request, handler):
        return ZoneResolver(open(sys.argv[2]).read()).resolve(request, handler)


for tcp in (False, True):
    DNSServer(Rereading(), port=int(sys.argv[1]), address="127.0.0.1", tcp=tcp).start_thread()
while True:
    time.sleep(1)
