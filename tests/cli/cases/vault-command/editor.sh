#!/bin/sh
ls -l "$1" | cut -c1-10
cat "$1"
echo "edited: true" >> "$1"
