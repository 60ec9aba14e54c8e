// What holds a pod's namespaces open: the official image of it cannot be had from the module proxy.
module flashsale/tests/peers/pause

go 1.26.0
