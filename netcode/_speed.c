/* The hot path of messages: `frame` encodes one message, `cut` decodes the messages at the front of what came.

   What is unusual is nobody's business here: None says «do it yourself», and the Python in codec.py, which is the
   definition, does. Unusual is whatever is not exactly one of None, bool, int, float, str, bytes, list and dict (a tuple
   may be sent), what nests deeper than MAX_DEPTH, has many containers, keys that are no scalars, extensions, is large, or
   costs much.
   So nothing here raises, and nothing here runs Python code, in the middle of which a message could change. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum {
    HEADER_SIZE = 4,      /* the length of the payload, big end first */
    MAX_DEPTH = 32,       /* lists and dicts within each other */
    MAX_CONTAINERS = 32,  /* lists and dicts of a message that came: what has more costs more, and is accounted for */
    CAREFUL_FROM = 4096,  /* bytes of a payload from which on the Python looks at it */
    FEW_BYTES = 1024,     /* bytes of which it need not be asked what they cost */
    FREE = 256,           /* what may be decoded without asking: see budget.py, and cost_of in codec.py */
    KEYS = 256,           /* keys of dicts that are remembered, */
    KEY_SIZE = 24,        /* of so many bytes at most */
};

/* Big end first, whatever the machine. */
static uint64_t load(const unsigned char *at, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | *at++;
    return value;
}

static void store(unsigned char *at, uint64_t value, int size)
{
    for (at += size; size--; value >>= 8)
        *--at = (unsigned char)value;
}

/* ---- Sending ---- */

typedef struct {
    unsigned char *at, *end;
} Writer;

static int put(Writer *writer, unsigned char first, uint64_t value, int size)
{
    if (writer->end - writer->at <= size)
        return 0;
    *writer->at++ = first;
    store(writer->at, value, size);
    writer->at += size;
    return 1;
}

static int put_bytes(Writer *writer, const char *data, Py_ssize_t size)
{
    if (writer->end - writer->at < size)
        return 0;
    memcpy(writer->at, data, (size_t)size);
    writer->at += size;
    return 1;
}

static int put_int(Writer *writer, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow > 0) {
        uint64_t large = PyLong_AsUnsignedLongLong(value);
        return PyErr_Occurred() ? 0 : put(writer, 0xcf, large, 8);
    }
    if (overflow)
        return 0;
    if (number >= -32 && number < 128)
        return put(writer, (unsigned char)number, 0, 0);
    if (number < 0)
        return number >= INT8_MIN    ? put(writer, 0xd0, (uint64_t)number, 1)
               : number >= INT16_MIN ? put(writer, 0xd1, (uint64_t)number, 2)
               : number >= INT32_MIN ? put(writer, 0xd2, (uint64_t)number, 4)
                                     : put(writer, 0xd3, (uint64_t)number, 8);
    return number <= UINT8_MAX    ? put(writer, 0xcc, (uint64_t)number, 1)
           : number <= UINT16_MAX ? put(writer, 0xcd, (uint64_t)number, 2)
           : number <= UINT32_MAX ? put(writer, 0xce, (uint64_t)number, 4)
                                  : put(writer, 0xcf, (uint64_t)number, 8);
}

/* What is scalar may be a key, too. -1: it is not scalar. */
static int put_scalar(Writer *writer, PyObject *value)
{
    const char *data;
    char *raw;
    Py_ssize_t size;
    if (PyUnicode_CheckExact(value)) {
        data = PyUnicode_AsUTF8AndSize(value, &size);
        return data != NULL
               && (size < 32             ? put(writer, (unsigned char)(0xa0 | size), 0, 0)
                   : size <= UINT8_MAX   ? put(writer, 0xd9, (uint64_t)size, 1)
                   : size < CAREFUL_FROM ? put(writer, 0xda, (uint64_t)size, 2)
                                         : 0)
               && put_bytes(writer, data, size);
    }
    if (PyLong_CheckExact(value))
        return put_int(writer, value);
    if (PyFloat_CheckExact(value)) {
        double number = PyFloat_AsDouble(value);
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        return put(writer, 0xcb, bits, 8);
    }
    if (value == Py_None || value == Py_False || value == Py_True)
        return put(writer, value == Py_None ? 0xc0 : value == Py_False ? 0xc2 : 0xc3, 0, 0);
    if (PyBytes_CheckExact(value)) {
        return PyBytes_AsStringAndSize(value, &raw, &size) == 0
               && (size <= UINT8_MAX     ? put(writer, 0xc4, (uint64_t)size, 1)
                   : size < CAREFUL_FROM ? put(writer, 0xc5, (uint64_t)size, 2)
                                         : 0)
               && put_bytes(writer, raw, size);
    }
    return -1;
}

static int put_size(Writer *writer, Py_ssize_t size, unsigned char few, unsigned char many)
{
    return size < 16             ? put(writer, (unsigned char)(few | size), 0, 0)
           : size < CAREFUL_FROM ? put(writer, many, (uint64_t)size, 2)
                                 : 0;
}

static int put_value(Writer *writer, PyObject *value, int depth)
{
    int is_put = put_scalar(writer, value);
    if (is_put >= 0)
        return is_put;
    if (depth == MAX_DEPTH)
        return 0;
    if (PyDict_CheckExact(value)) {
        PyObject *key, *item;
        Py_ssize_t position = 0;
        if (!put_size(writer, PyDict_Size(value), 0x80, 0xde))
            return 0;
        while (PyDict_Next(value, &position, &key, &item))
            if (put_scalar(writer, key) <= 0 || !put_value(writer, item, depth + 1))
                return 0;
        return 1;
    }
    int is_list = PyList_CheckExact(value);
    if (!is_list && !PyTuple_CheckExact(value))
        return 0;
    Py_ssize_t size = is_list ? PyList_Size(value) : PyTuple_Size(value);
    if (!put_size(writer, size, 0x90, 0xdc))
        return 0;
    for (Py_ssize_t i = 0; i < size; i++)
        if (!put_value(writer, is_list ? PyList_GetItem(value, i) : PyTuple_GetItem(value, i), depth + 1))
            return 0;
    return 1;
}

PyDoc_STRVAR(frame_doc, "frame(message, /)\n--\n\nReturn a message as a frame, or None: encode it yourself.");

static PyObject *frame(PyObject *Py_UNUSED(module), PyObject *message)
{
    unsigned char data[HEADER_SIZE + CAREFUL_FROM];
    Writer writer = {data + HEADER_SIZE, data + sizeof data};
    if (!put_value(&writer, message, 0)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    store(data, (uint64_t)(writer.at - data) - HEADER_SIZE, HEADER_SIZE);
    return PyBytes_FromStringAndSize((char *)data, writer.at - data);
}

/* ---- Receiving ---- */

/* Keys that came last, by their hash: the messages of a game have the same few again and again. */
typedef struct {
    PyObject *texts[KEYS];
} Keys;

typedef struct {
    const unsigned char *at, *end;
    int containers;
    Keys *keys; /* NULL while the module is not executed yet */
} Reader;

static int take(Reader *reader, int size, uint64_t *value)
{
    if (reader->end - reader->at < size)
        return 0;
    *value = load(reader->at, size);
    reader->at += size;
    return 1;
}

static PyObject *take_value(Reader *reader, int depth, int is_key);

/* Where a key is remembered, if it is. */
static PyObject **place_of(Keys *keys, const unsigned char *key, uint64_t size)
{
    uint32_t hash = (uint32_t)size;
    for (uint64_t i = 0; i < size; i++)
        hash = hash * 31 + key[i];
    return &keys->texts[(hash ^ hash >> 8) % KEYS];
}

static int is_text(PyObject *text, const unsigned char *data, uint64_t size)
{
    Py_ssize_t its_size;
    const char *its = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &its_size);
    if (its == NULL)
        PyErr_Clear();
    return its != NULL && (uint64_t)its_size == size && memcmp(its, data, size) == 0;
}

static PyObject *take_text(Reader *reader, uint64_t size, int is_key)
{
    const unsigned char *data = reader->at;
    if ((uint64_t)(reader->end - data) < size)
        return NULL;
    reader->at += size;
    PyObject **known = is_key && size <= KEY_SIZE && reader->keys != NULL ? place_of(reader->keys, data, size) : NULL;
    if (known != NULL && is_text(*known, data, size))
        return Py_NewRef(*known);
    PyObject *text = PyUnicode_DecodeUTF8((const char *)data, (Py_ssize_t)size, NULL);
    if (text != NULL && is_key)
        PyUnicode_InternInPlace(&text); /* one text for the same key of all messages */
    if (text != NULL && known != NULL) {
        Py_XDECREF(*known);
        *known = Py_NewRef(text);
    }
    return text;
}

static PyObject *take_bytes(Reader *reader, uint64_t size)
{
    if ((uint64_t)(reader->end - reader->at) < size)
        return NULL;
    reader->at += size;
    return PyBytes_FromStringAndSize((const char *)reader->at - size, (Py_ssize_t)size);
}

static PyObject *take_list(Reader *reader, uint64_t size, int depth)
{
    /* Each value takes a byte at least. */
    if (depth == MAX_DEPTH || ++reader->containers > MAX_CONTAINERS || (uint64_t)(reader->end - reader->at) < size)
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)size);
    for (Py_ssize_t i = 0; list != NULL && i < (Py_ssize_t)size; i++) {
        PyObject *value = take_value(reader, depth + 1, 0);
        if (value == NULL || PyList_SetItem(list, i, value) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *take_dict(Reader *reader, uint64_t size, int depth)
{
    if (depth == MAX_DEPTH || ++reader->containers > MAX_CONTAINERS || (uint64_t)(reader->end - reader->at) < 2 * size)
        return NULL;
    PyObject *dict = PyDict_New();
    while (dict != NULL && size--) {
        PyObject *key = take_value(reader, depth + 1, 1);
        PyObject *value = key == NULL ? NULL : take_value(reader, depth + 1, 0);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *take_value(Reader *reader, int depth, int is_key)
{
    if (reader->at == reader->end)
        return NULL;
    unsigned char first = *reader->at++;
    uint64_t number;
    if (first < 0x80 || first >= 0xe0)
        return PyLong_FromLong((signed char)first);
    if (first >= 0xa0 && first < 0xc0)
        return take_text(reader, first & 0x1f, is_key);
    if (first < 0xa0)
        return is_key ? NULL : first < 0x90 ? take_dict(reader, first & 0x0f, depth) : take_list(reader, first & 0x0f, depth);
    switch (first) {
    case 0xc0: Py_RETURN_NONE;
    case 0xc2: Py_RETURN_FALSE;
    case 0xc3: Py_RETURN_TRUE;
    case 0xc4: case 0xc5: case 0xc6:
        return take(reader, 1 << (first - 0xc4), &number) ? take_bytes(reader, number) : NULL;
    case 0xca: {
        uint32_t bits;
        float small;
        if (!take(reader, 4, &number))
            return NULL;
        bits = (uint32_t)number;
        memcpy(&small, &bits, sizeof small);
        return PyFloat_FromDouble(small);
    }
    case 0xcb: {
        double large;
        if (!take(reader, 8, &number))
            return NULL;
        memcpy(&large, &number, sizeof large);
        return PyFloat_FromDouble(large);
    }
    case 0xcc: case 0xcd: case 0xce: case 0xcf:
        return take(reader, 1 << (first - 0xcc), &number) ? PyLong_FromUnsignedLongLong(number) : NULL;
    case 0xd0: return take(reader, 1, &number) ? PyLong_FromLong((int8_t)number) : NULL;
    case 0xd1: return take(reader, 2, &number) ? PyLong_FromLong((int16_t)number) : NULL;
    case 0xd2: return take(reader, 4, &number) ? PyLong_FromLong((int32_t)number) : NULL;
    case 0xd3: return take(reader, 8, &number) ? PyLong_FromLongLong((int64_t)number) : NULL;
    case 0xd9: case 0xda: case 0xdb:
        return take(reader, 1 << (first - 0xd9), &number) ? take_text(reader, number, is_key) : NULL;
    case 0xdc: case 0xdd:
        return !is_key && take(reader, 2 << (first - 0xdc), &number) ? take_list(reader, number, depth) : NULL;
    case 0xde: case 0xdf:
        return !is_key && take(reader, 2 << (first - 0xde), &number) ? take_dict(reader, number, depth) : NULL;
    default: return NULL; /* an extension, or nothing that msgpack has */
    }
}

/* An event, which is a named tuple of who sent the message, and the message; steals the message. */
static PyObject *make_event(PyTypeObject *event, PyObject *sender, PyObject *message)
{
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    PyObject *fields = message == NULL ? NULL : PyTuple_Pack(2, sender, message);
    PyObject *arguments = fields == NULL ? NULL : PyTuple_Pack(1, fields);
    PyObject *made = arguments == NULL ? NULL : make(event, arguments, NULL);
    Py_XDECREF(arguments);
    Py_XDECREF(fields);
    Py_XDECREF(message);
    return made;
}

PyDoc_STRVAR(cut_doc, "cut(data, size, limit, event, sender, /)\n--\n\n"
                      "Return the messages of the complete frames at the front of data as events, and the bytes that these\n"
                      "took, or None: cut and decode it yourself.");

static PyObject *cut(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer data;
    if (count != 5 || !PyType_Check(arguments[3]) || !PyType_IsSubtype((PyTypeObject *)arguments[3], &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "cut() takes what came, its size, the largest payload that is taken, a type of "
                                         "event, and who sent it");
        return NULL;
    }
    Py_ssize_t came = PyLong_AsSsize_t(arguments[1]);
    unsigned long long limit = PyLong_AsUnsignedLongLong(arguments[2]);
    PyTypeObject *event = (PyTypeObject *)arguments[3];
    PyObject *sender = arguments[4];
    if (PyErr_Occurred() || PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (came < 0 || came > data.len)
        came = data.len;
    const unsigned char *begin = data.buf, *at = begin, *end = begin + came;
    PyObject *events = PyList_New(0), *result = NULL;
    uint64_t cost = 0;
    while (events != NULL && end - at > HEADER_SIZE) {
        uint64_t size = load(at, HEADER_SIZE);
        if (size > limit || size == 0)
            goto unusual;
        if ((uint64_t)(end - at) - HEADER_SIZE < size)
            break;
        if (size > CAREFUL_FROM)
            goto unusual;
        Reader reader = {at + HEADER_SIZE, at + HEADER_SIZE + size, 0, PyModule_GetState(module)};
        PyObject *made = make_event(event, sender, take_value(&reader, 0, 0));
        int is_message = made != NULL && reader.at == reader.end && PyList_Append(events, made) == 0;
        Py_XDECREF(made);
        int is_bytes = at[HEADER_SIZE] >= 0xc4 && at[HEADER_SIZE] <= 0xc6;
        cost += 1 + (is_bytes ? size >> 10 : size >> 3) + (uint64_t)reader.containers;
        if (!is_message || (came > FEW_BYTES && cost > FREE))
            goto unusual;
        at = reader.end;
    }
    /* A length without anything behind it may be a wrong one. */
    if (events != NULL && end - at != HEADER_SIZE) {
        PyObject *taken = PyLong_FromSsize_t(at - begin);
        result = taken == NULL ? NULL : PyTuple_Pack(2, events, taken);
        Py_XDECREF(taken);
    }
unusual:
    Py_XDECREF(events);
    PyBuffer_Release(&data);
    if (result != NULL)
        return result;
    PyErr_Clear();
    Py_RETURN_NONE;
}

static void forget_keys(void *module)
{
    Keys *keys = PyModule_GetState(module);
    for (int i = 0; keys != NULL && i < KEYS; i++)
        Py_CLEAR(keys->texts[i]);
}

static PyMethodDef functions[] = {
    {"frame", frame, METH_O, frame_doc},
    {"cut", (PyCFunction)(void (*)(void))cut, METH_FASTCALL, cut_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "netcode._speed", "The hot path of messages, in C; netcode.wire.codec is what it means.",
    sizeof(Keys), functions, slots, NULL, NULL, forget_keys,
};

PyMODINIT_FUNC PyInit__speed(void)
{
    return PyModuleDef_Init(&definition);
}
