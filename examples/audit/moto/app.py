"""The server of moto for S3."""

from moto.moto_server.werkzeug_app import create_backend_app

app = create_backend_app("s3")
