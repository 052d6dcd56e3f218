"""One question to a name server on loopback."""
from dnslib import QTYPE, DNSRecord


def txt(name, port):
    packet = DNSRecord.question(name, "TXT").send("127.0.0.1", port, timeout=5)
    for answer in DNSRecord.parse(packet).rr:
        if answer.rtype == QTYPE.TXT:
            return b"".join(answer.rdata.data)
    return None
