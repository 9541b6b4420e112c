/* The hot path of bytes: `recv_into` and `send` of a socket that does not block, for netcode.transport.tcp_socket.

   They do what those of socket.socket do where no time is waited, and what Python adds to the system call is half of it:
   no arguments by name, no look at a timeout, and other threads are not let in during a call that returns at once. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int add_socket_calls(PyObject *module);

#ifdef _WIN32

/* Its sockets have calls and errors of their own. */
int add_socket_calls(PyObject *Py_UNUSED(module))
{
    return 0;
}

#else

#include <errno.h>
#include <sys/socket.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS, where that is an option of the socket: see tcp_socket.silence */
#endif

/* The name of the attribute that holds the descriptor, -1 once it is closed. Made once, and kept: all interpreters that
   may load this share one lock. */
static PyObject *read_fd;

static PyObject *call(PyObject *socket, PyObject *buffer, int sends)
{
    Py_buffer data;
    PyObject *number = PyObject_GetAttr(socket, read_fd);
    int fd = number == NULL ? -1 : (int)PyLong_AsLong(number);
    Py_XDECREF(number);
    if ((fd == -1 && PyErr_Occurred()) || PyObject_GetBuffer(buffer, &data, sends ? PyBUF_SIMPLE : PyBUF_WRITABLE) < 0)
        return NULL;
    ssize_t count;
    do
        count = sends ? send(fd, data.buf, (size_t)data.len, MSG_DONTWAIT | MSG_NOSIGNAL)
                      : recv(fd, data.buf, (size_t)data.len, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    PyObject *result = count < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromSsize_t(count);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *receive_into(PyObject *socket, PyObject *buffer)
{
    return call(socket, buffer, 0);
}

static PyObject *send_from(PyObject *socket, PyObject *data)
{
    return call(socket, data, 1);
}

/* As methods: the class whose they are is one of Python, which has only to name them. */
static PyMethodDef calls[] = {
    {"receive_into", receive_into, METH_O, "receive_into(buffer, /)\n--\n\nReceive into a buffer, and return how many bytes."},
    {"send", send_from, METH_O, "send(data, /)\n--\n\nSend the beginning of data, and return how many bytes were taken."},
};

int add_socket_calls(PyObject *module)
{
    if (read_fd == NULL && (read_fd = PyUnicode_InternFromString("read_fd")) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        PyObject *method = PyDescr_NewMethod(&PyBaseObject_Type, &calls[i]);
        int failed = method == NULL || PyModule_AddObjectRef(module, calls[i].ml_name, method) < 0;
        Py_XDECREF(method);
        if (failed)
            return -1;
    }
    return 0;
}

#endif
