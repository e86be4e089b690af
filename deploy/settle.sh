#!/bin/sh
# In the Dockerfile: give every file the time of the sources, so that the same sources make the same layers. Only those
# that are newer, which are those of the layer that is being made: touching one of a layer below would copy it.
set -eu
exec find /opt/phytobatch -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
