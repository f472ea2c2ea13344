#ifndef KB_TRACE_H
#define KB_TRACE_H
#endif
