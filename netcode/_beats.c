/* The hot path of pings: `beat` decodes the PING or the PONG at the front of what came, which everybody sends once a second.

   protocol.py beside it is the definition. None says that it is neither, or not complete, or not written as msgpack
   libraries write it; so nothing here raises. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum {
    HEADER_SIZE = 4, /* the length of the payload, big end first: of a beat, less than one byte can say */
    BEAT_SIZE = 10,  /* bytes of the smallest frame of one */
    EXTENSION = 78,
    LIST_OF_THREE = 0x93,
    PING = 3,
    PONG = 4,
};

int add_beat(PyObject *module);

/* Read a number that is not negative, and go on behind it. */
static int take_number(const unsigned char **at, const unsigned char *end, unsigned long long *number)
{
    unsigned char first = *at < end ? *(*at)++ : 0xff;
    if (first < 0x80) {
        *number = first;
        return 1;
    }
    int size = 1 << (first & 3);
    if (first < 0xcc || first > 0xd3 || end - *at < size)
        return 0;
    *number = 0;
    for (int i = 0; i < size; i++)
        *number = *number << 8 | *(*at)++;
    return first < 0xd0 || *number >> (8 * size - 1) == 0; /* of those with a sign, that is the first bit */
}

/* Return where the frame of a beat ends that begins at `begin`; NULL: there is none. */
static const unsigned char *take_beat(const unsigned char *begin, Py_ssize_t size, unsigned long long fields[3])
{
    if (size < BEAT_SIZE || begin[0] || begin[1] || begin[2] || begin[3] > size - HEADER_SIZE)
        return NULL;
    const unsigned char *at = begin + HEADER_SIZE, *end = at + begin[3];
    unsigned char first = *at++;
    int is_sized = first == 0xc7; /* else of 4, 8 or 16 bytes */
    int length = is_sized ? *at++ : first >= 0xd6 && first <= 0xd8 ? 4 << (first - 0xd6) : -1;
    if (*at++ != EXTENSION || *at != LIST_OF_THREE || end - at++ != length)
        return NULL;
    for (int i = 0; i < 3; i++)
        if (!take_number(&at, end, &fields[i]))
            return NULL;
    return at == end && fields[0] >= PING && fields[0] <= PONG ? end : NULL;
}

static PyObject *beat(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer data;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "beat() takes bytes and their size");
    Py_ssize_t size = PyLong_AsSsize_t(arguments[1]);
    if (PyErr_Occurred() || PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    const unsigned char *begin = data.buf;
    unsigned long long fields[3];
    const unsigned char *end = take_beat(begin, size < data.len ? size : data.len, fields);
    PyBuffer_Release(&data);
    return end == NULL ? Py_NewRef(Py_None) : Py_BuildValue("(KKKn)", fields[0], fields[1], fields[2], end - begin);
}

static PyMethodDef functions[] = {
    {"beat", (PyCFunction)(void (*)(void))beat, METH_FASTCALL,
     "beat(data, size, /)\n--\n\nReturn the kind, the two numbers and the size of the PING or PONG at the front, or None."},
    {NULL, NULL, 0, NULL},
};

int add_beat(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
