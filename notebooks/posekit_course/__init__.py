"""The course's own package: what the notebooks need beyond the library, a folder a notebook.

live                    a figure with controls
checks                  checkers that name the mistake in an exercise
densepose_uv ...        figures, probes and widgets of one notebook each
"""
