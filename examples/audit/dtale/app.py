"""D-Tale as part of one's own Flask app, after the package's guide: a route loads a table, D-Tale shows it."""

import pandas
from dtale.app import build_app
from dtale.views import startup

app = build_app(reaper_on=False)


@app.post("/load")
def load():
    startup(data=pandas.DataFrame({"price": [3, 4, 5]}), data_id="1", ignore_duplicate=True)
    return "", 201
