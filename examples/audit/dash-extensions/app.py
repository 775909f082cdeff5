"""A callback that changes nothing on the page, as the package offered it when the issue was written."""

from dash_extensions.enrich import DashProxy, Input, NoOutputTransform
from dash_html_components import Button, Div

dash = DashProxy(__name__, transforms=[NoOutputTransform()], prevent_initial_callbacks=True)
dash.layout = Div([Button("paint", id="button")])


@dash.callback(Input("button", "n_clicks"))
def paint(clicks):
    print(clicks)


app = dash.server
