"""An independent judgement on the signatures of one mail, by dkimpy over real DNS.

usage: dkim_check.py NAMESERVER_PORT FILE; prints a line of JSON
"""
import json
import sys

import dkim
import dns_ask

mail = open(sys.argv[2], "rb").read()
port = int(sys.argv[1])


def txt(name, timeout=5):
    return dns_ask.txt(name.decode() if isinstance(name, bytes) else name, port)


def judge(message):
    verifier = dkim.DKIM(message, minkey=1024)
    count = sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")
    return [believed(verifier, place) for place in range(count)]


def believed(verifier, place):
    try:
        return verifier.verify(place, dnsfunc=txt)
    except dkim.ValidationError:
        return False


signed = [
    name.strip().lower().decode()
    for name in dkim.util.parse_tag_value(dict((k.lower(), v) for k, v in dkim.DKIM(mail).headers)[b"dkim-signature"])[b"h"].split(b":")
]
print(json.dumps({
    "genuine": judge(mail),
    "other_subject": judge(mail.replace(b"\nSubject: ", b"\nSubject: x", 1)),
    "other_body": judge(mail + b"x\r\n"),
    "added_header": judge(mail.replace(b"\nSubject: ", b"\nList-Unsubscribe: <https://evil.example>\r\nSubject: ", 1)),
    "signed": signed,
}))
