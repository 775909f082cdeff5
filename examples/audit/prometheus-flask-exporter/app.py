"""An app with the metrics of prometheus-flask-exporter, as in the README of the package."""

from flask import Flask
from prometheus_flask_exporter import PrometheusMetrics

app = Flask(__name__)
metrics = PrometheusMetrics(app)


@app.get("/orders")
@metrics.do_not_track()
@metrics.counter("orders", "Orders that were read")
def orders():
    return "none"
