/* A click on a chart sends the step that is nearest to it along the axis. */
(event) => {
  const chart = getElement(ELEMENT_ID).chart;
  const box = event.currentTarget.getBoundingClientRect();
  const place = [event.clientX - box.left, event.clientY - box.top];
  if (chart.containPixel("grid", place)) emit(chart.convertFromPixel({ xAxisIndex: 0 }, place[0]));
};
