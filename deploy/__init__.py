"""How Phytobatch is put to work: images, proxy, chart, dashboards, and the stack on one machine (``deploy.local``)."""
