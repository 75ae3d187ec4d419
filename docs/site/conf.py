"""The site: the pages of docs, the executed notebooks, and the library's docstrings.  `posekit_lab.site` builds it."""

project = "posekit"
author = "the posekit authors"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.apidoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "posekit_lab.site_extension",
]
# Notebooks are shown as they were run; nothing is executed here.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
myst_enable_extensions = ["dollarmath", "amsmath", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "posekit"
html_static_path = ["_static"]
html_css_files = ["posekit.css"]
html_math_renderer = "mathml"  # browsers draw it themselves: nothing is fetched
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}

# sphinx-build -t no_api leaves the pages of docstrings out; Sphinx defines tags
with_api = not tags.has("no_api")  # noqa: F821
pages_of_docstrings = {
    "path": "posekit",
    "destination": "api",
    "separate_modules": True,
    "module_first": True,
    "include_private": False,
    "automodule_options": {"members"},
    "exclude_patterns": ["posekit/cli/*", "posekit/ops/splat_triton_kernel.py"],  # the latter needs Triton
}
apidoc_modules = [pages_of_docstrings] if with_api else []
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
add_module_names = False
default_role = "code"
suppress_warnings = ["ref.python"]  # a name of the package and of its module are one thing
exclude_patterns = ["README.md"]  # index.md includes it
copybutton_exclude = ".linenos, .gp"
