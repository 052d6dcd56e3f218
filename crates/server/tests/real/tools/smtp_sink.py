"""A mail server on loopback that keeps every mail as it came, in a folder.

usage: smtp_sink.py PORT FOLDER
"""
import os
import sys
import time

from aiosmtpd.controller import Controller


class Keeping:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = os.path.join(sys.argv[2], f"{self.count:04}.eml")
        with open(path + ".part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(path + ".part", path)
        return "250 2.0.0 kept"


Controller(Keeping(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
while True:
    time.sleep(1)
