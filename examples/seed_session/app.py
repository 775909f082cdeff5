"""The demo of the discussion: a counter in a server-side session, "not shared between browsers".

As it stands there. Nothing must change for Flask-Session 0.8: `SESSION_TYPE = 'filesystem'` only warns that it is
deprecated (since 0.7 the advice is `'cachelib'` and a `FileSystemCache` as SESSION_CACHELIB). The sessions are files in
the folder `flask_session` of wherever the app runs.
"""

from flask import Flask, session
from flask_session import Session

app = Flask(__name__)
# Check Configuration section for more details
SESSION_TYPE = 'filesystem'
app.config.from_object(__name__)
Session(app)


@app.route('/')
def reset():
    session["counter"]=0

    return "counter was reset"


@app.route('/inc')
def routeA():
    if not "counter" in session:
        session["counter"]=0

    session["counter"]+=1

    return "counter is {}".format(session["counter"])


@app.route('/dec')
def routeB():
    if not "counter" in session:
        session["counter"] = 0

    session["counter"] -= 1

    return "counter is {}".format(session["counter"])


if __name__ == '__main__':
    app.run()
