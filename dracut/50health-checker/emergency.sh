#!/bin/sh
# Sourced by dracut before its shell (hook emergency) or before it powers off, where `rd.shell=0`
# forbids one (hook shutdown-emergency). Returns only where there is nothing to try.
health-checker emergency
