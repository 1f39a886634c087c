#!/usr/bin/python3
"""A camera that speaks RTSP, for tests: rtsp_server.py PORT [NAME:PASSWORD]

GStreamer's server on loopback. /cam is a ball that moves for ever, in H.264, 320 x 180 at 25 pictures a second; everything else
is not there. With a name and a password it wants them, by digest. Says "ready" once it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PICTURES = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=25 ! rtph264pay name=pay0 config-interval=1"
)

Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
camera = GstRtspServer.RTSPMediaFactory.new()
camera.set_launch(PICTURES)
camera.set_shared(True)
server.get_mount_points().add_factory("/cam", camera)
if len(sys.argv) > 2:
    name, password = sys.argv[2].split(":")
    known = GstRtspServer.RTSPToken()
    known.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(name, password, known)
    server.set_auth(auth)
    may = "media.factory.access=(boolean)true,media.factory.construct=(boolean)true"
    camera.add_role_from_structure(Gst.Structure.new_from_string("viewer," + may))
if server.attach(None) == 0:
    sys.exit(f"cannot listen on port {sys.argv[1]}")
print("ready", flush=True)
GLib.MainLoop().run()
