"""A callback that changes nothing on the page, as the package offered it when the issue was written."""

from dash_extensions.enrich import DashProxy
from dash_extensions.enrich import Input
from dash_extensions.enrich import NoOutputTransform
from dash_html_components import Button
from dash_html_components import Div

dash = DashProxy(__name__, transforms=[NoOutputTransform()], prevent_initial_callbacks=True)
dash.layout = Div([Button("paint", id="button")])


@dash.callback(Input("button", "n_clicks"))
def paint(clicks):
    print(clicks)


app = dash.server
