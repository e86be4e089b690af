"""Deployment of Phytobatch: images, proxy, chart, dashboards, and the stack on one machine (``deploy.local``)."""
