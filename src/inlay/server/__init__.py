"""The studio's server: projects, images and documents over HTTP. Needs `pip install 'inlay[studio]'`."""
