#!/usr/bin/env python3
"""A camera that speaks HTTP, for tests: mjpeg_server.py PORT NAME:PASSWORD PICTURE...

/video.mjpeg gives the pictures for ever, 25 a second, as multipart/x-mixed-replace; it wants the name and password. Says "ready"
once it listens.
"""

import base64
import http.server
import itertools
import pathlib
import sys
import time

LOGIN = "Basic " + base64.b64encode(sys.argv[2].encode()).decode()
PICTURES = [pathlib.Path(name).read_bytes() for name in sys.argv[3:]]


class Camera(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != LOGIN:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        elif self.path != "/video.mjpeg":
            self.send_response(404)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            return self.pictures()
        self.send_header("Content-Length", "0")
        self.end_headers()

    def pictures(self):
        try:
            for picture in itertools.cycle(PICTURES):
                self.wfile.write(b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
                self.wfile.write(picture + b"\r\n")
                time.sleep(0.04)
        except OSError:
            pass  # whoever watched went away

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Camera)
print("ready", flush=True)
server.serve_forever()
